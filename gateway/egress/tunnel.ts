// CONNECT tunnels for the set-up steps, to hosts of the platform's egress table and nowhere else. Bytes pass unread, so the table and
// the address guard are all the protection there is: both come before the first byte.

import type { Duplex } from 'node:stream';
import type { Socket } from 'node:net';
import type { Upstream } from '../../crds/contracts/platform.ts';
import { egressUpstream, foundRow } from '../../crds/rules/platform-rows.ts';
import { Refusal } from '../http/refusal.ts';
import type { Range } from '../upstream/addresses.ts';
import { AddressRefused, guardedConnect, type Resolve } from '../upstream/connector.ts';

export interface TunnelLimits {
  readonly connectTimeoutMs: number;
  readonly idleMs: number;
  readonly totalMs: number;
  readonly bytes: number;
}

export const TUNNEL_LIMITS: TunnelLimits = {
  connectTimeoutMs: 10_000,
  idleMs: 120_000,
  totalMs: 1_800_000,
  bytes: 8 * 1024 * 1024 * 1024,
};

export interface TunnelOptions {
  readonly upstreams: () => readonly Upstream[];
  readonly cluster: readonly Range[];
  readonly limits: TunnelLimits;
  readonly resolve?: Resolve;
  readonly onOpen?: (upstream: Upstream) => void;
}

export interface Target {
  readonly host: string;
  readonly port: number;
}

export const parseTarget = (text: string): Target | undefined => {
  const [, host = '', digits = ''] = /^([A-Za-z0-9.-]{1,253}|\[[0-9a-fA-F:.]{2,45}\]):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  return host === '' || port < 1 || port > 65_535 ? undefined : { host: host.toLowerCase(), port };
};

/** Runs one tunnel to its end. Throws Refusal as long as nothing was answered. */
export const runTunnel = async (
  text: string,
  namespace: string,
  client: { readonly socket: Duplex; readonly head: Buffer },
  options: TunnelOptions,
): Promise<void> => {
  const target = parseTarget(text);
  if (target === undefined) throw new Refusal(400, 'TargetInvalid', 'CONNECT wants host:port');
  const upstream = foundRow(egressUpstream(target, namespace, options.upstreams()));
  if (upstream === undefined)
    throw new Refusal(403, 'EgressNotListed', 'the platform lists no such egress host for this namespace', { detail: text });
  const server = await open(target, upstream, options);
  options.onOpen?.(upstream);
  client.socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
  server.write(client.head);
  await splice(client.socket, server, options.limits);
};

const open = async (target: Target, upstream: Upstream, options: TunnelOptions): Promise<Socket> => {
  const { cluster, resolve, limits } = options;
  const guard = { allowPrivate: upstream.allowPrivate, cluster };
  const guarded = { guard, connectTimeoutMs: limits.connectTimeoutMs, ...(resolve !== undefined && { resolve }) };
  try {
    return await guardedConnect(target.host, target.port, guarded);
  } catch (error) {
    const refused = error instanceof AddressRefused;
    const detail = `upstream ${upstream.name}`;
    throw refused
      ? new Refusal(403, 'EgressRefused', 'the host has an address that the platform does not allow', { cause: error, detail })
      : new Refusal(502, 'EgressUnavailable', 'the host cannot be reached', { cause: error, detail });
  }
};

/** Joins two sockets until both are done, one breaks, nothing passes for too long, or a limit is reached. */
const splice = (client: Duplex, server: Socket, limits: TunnelLimits): Promise<void> =>
  new Promise((resolve) => {
    let bytes = 0;
    let idle = setTimeout(end, limits.idleMs);
    const total = setTimeout(end, limits.totalMs);
    function end(): void {
      clearTimeout(idle);
      clearTimeout(total);
      client.destroy();
      server.destroy();
      resolve();
    }
    const count = (chunk: Buffer): void => {
      bytes += chunk.length;
      clearTimeout(idle);
      idle = setTimeout(end, limits.idleMs);
      if (bytes > limits.bytes) end();
    };
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      from.on('data', count);
      from.on('error', end);
      from.once('close', () => {
        if (!from.readableEnded || (client.destroyed && server.destroyed)) end();
      });
      from.pipe(to);
    }
  });
