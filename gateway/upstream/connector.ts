// Connections to the outside, guarded: an address is judged before the connection is tried and again on the address reached.
// Nothing else in the gateway opens a socket to an upstream.

import { lookup as systemLookup, type LookupAddress } from 'node:dns';
import { isIP, connect, type LookupFunction, type Socket } from 'node:net';
import { buildConnector } from 'undici';
import { addressAllowed, type AddressGuard } from './addresses.ts';

export class AddressRefused extends Error {
  override readonly name = 'AddressRefused';
  readonly code = 'ADDRESS_REFUSED';
}

/** Resolves a name to all its addresses; node:dns by default, a port for tests. */
export type Resolve = (
  host: string,
  done: (error: NodeJS.ErrnoException | null, addresses: readonly LookupAddress[]) => void,
) => void;

const resolveBySystem: Resolve = (host, done) => systemLookup(host, { all: true }, (error, addresses) => done(error, addresses));

const bare = (host: string): string => host.replace(/^\[(.*)\]$/, '$1');

/** A look-up that gives only addresses the guard allows, and fails when none is left. */
export const guardedLookup = (guard: AddressGuard, resolve: Resolve = resolveBySystem): LookupFunction => {
  return (host, options, done) => {
    resolve(host, (error, all) => {
      if (error !== null) return done(error, '', 0);
      const allowed = all.filter(({ address }) => addressAllowed(address, guard));
      const [first] = allowed;
      if (first === undefined) return done(new AddressRefused(`every address of ${host} is refused`), '', 0);
      if (options.all === true) return done(null, [...allowed]);
      return done(null, first.address, first.family);
    });
  };
};

const literalRefused = (host: string, guard: AddressGuard): boolean =>
  isIP(bare(host)) !== 0 && !addressAllowed(bare(host), guard);

const reachedRefused = (socket: Socket, guard: AddressGuard): boolean =>
  socket.remoteAddress === undefined || !addressAllowed(socket.remoteAddress, guard);

export interface GuardOptions {
  readonly guard: AddressGuard;
  readonly connectTimeoutMs: number;
  readonly ca?: string | undefined;
  readonly resolve?: Resolve;
}

/** A connector for an undici Agent. */
export const guardedConnector = (options: GuardOptions): buildConnector.connector => {
  const { guard, connectTimeoutMs, ca, resolve } = options;
  const inner = buildConnector({
    timeout: connectTimeoutMs,
    lookup: guardedLookup(guard, resolve),
    allowH2: false,
    ...(ca !== undefined && { ca }),
  });
  return (target, done) => {
    if (literalRefused(target.hostname, guard)) return done(new AddressRefused(`${target.hostname} is refused`), null);
    return inner(target, (error, socket) => {
      if (error !== null) return done(error, null);
      if (!reachedRefused(socket, guard)) return done(null, socket);
      socket.destroy();
      return done(new AddressRefused('the address that was reached is refused'), null);
    });
  };
};

/** A plain TCP connection, for tunnels. Rejects with AddressRefused, a connection error, or on time-out. */
export const guardedConnect = (host: string, port: number, options: GuardOptions): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const { guard, connectTimeoutMs } = options;
    if (literalRefused(host, guard)) return reject(new AddressRefused(`${host} is refused`));
    const socket = connect({ host: bare(host), port, lookup: guardedLookup(guard, options.resolve), timeout: connectTimeoutMs });
    const fail = (error: Error): void => {
      socket.destroy();
      reject(error);
    };
    socket.once('error', fail);
    socket.once('timeout', () => fail(new Error('connection timed out')));
    socket.once('connect', () => {
      socket.setTimeout(0);
      socket.removeAllListeners('timeout').removeListener('error', fail);
      if (reachedRefused(socket, guard)) fail(new AddressRefused('the address that was reached is refused'));
      else resolve(socket);
    });
    return undefined;
  });
