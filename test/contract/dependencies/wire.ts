// A wire between a process and what it depends on, which can be cut, go silent or be slow. It carries bytes and knows no protocol.

import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { freePort } from '../nats.ts';

/**
 * well    carries everything
 * gone    nobody listens, and what was connected is torn down
 * silent  connections are accepted and kept, and not a byte passes: half-open
 * slow    each piece comes after a while
 */
export type Health = 'well' | 'gone' | 'silent' | 'slow';

export interface Wire {
  readonly port: number;
  /** From now on, also for the connections that are there. */
  become(health: Health): Promise<void>;
  close(): Promise<void>;
}

const SLOW_MS = 300;

interface State {
  health: Health;
  readonly sockets: Set<Socket>;
  /** What goes on once it is no longer silent. */
  readonly held: Set<() => void>;
}

const carry = (from: Socket, to: Socket, state: State): void => {
  let last = Promise.resolve();
  const pass = async (chunk: Buffer): Promise<void> => {
    if (state.health === 'silent') await new Promise<void>((resolve) => state.held.add(resolve));
    if (state.health === 'slow') await new Promise((resolve) => setTimeout(resolve, SLOW_MS));
    if (to.writable) to.write(chunk);
  };
  from.on('data', (chunk: Buffer) => {
    last = last.then(() => pass(chunk));
  });
  from.on('close', () => void last.then(() => to.destroy()));
  from.on('error', () => undefined);
};

const join = (near: Socket, far: Socket, state: State): void => {
  for (const socket of [near, far]) {
    state.sockets.add(socket);
    socket.once('close', () => state.sockets.delete(socket));
  }
  carry(near, far, state);
  carry(far, near, state);
};

const closed = async (server: Server): Promise<void> => {
  if (!server.listening) return;
  server.close();
  await once(server, 'close');
};

export const startWire = async (target: { readonly host: string; readonly port: number }): Promise<Wire> => {
  const state: State = { health: 'well', sockets: new Set(), held: new Set() };
  const server = createServer((near) => join(near, connect(target.port, target.host), state));
  const port = await freePort();
  const listen = async (): Promise<void> => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  };
  const cut = async (): Promise<void> => {
    for (const socket of state.sockets) socket.destroy();
    await closed(server);
  };
  await listen();
  return {
    port,
    become: async (health) => {
      state.health = health;
      if (health === 'gone') await cut();
      else if (!server.listening) await listen();
      if (health === 'silent') return;
      for (const goOn of state.held) goOn();
      state.held.clear();
    },
    close: cut,
  };
};
