// A TCP port in front of a server that passes everything on, but for the fault it is told to make. It knows no protocol, so what lies
// behind it may speak TLS.
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

/**
 * refuse   every connection is reset, those that are open too
 * slow     what the server says comes that much later
 * cut      every answer ends after so many bytes, and the connection is reset
 */
export type PortFault =
  | { readonly kind: 'refuse' }
  | { readonly kind: 'slow'; readonly delayMs: number }
  | { readonly kind: 'cut'; readonly afterBytes: number };

export interface FaultyPort {
  readonly port: number;
  break(fault: PortFault): void;
  mend(): void;
  /** Resolves once the present fault was met so often: connections refused, pieces delayed, answers cut. */
  felt(times: number, signal?: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

interface State {
  fault: PortFault | undefined;
  hits: number;
  readonly sockets: Set<Socket>;
  readonly listeners: Set<() => void>;
}

export const startFaultyPort = async (
  host: string,
  upstream: { readonly host: string; readonly port: number },
): Promise<FaultyPort> => {
  const state: State = { fault: undefined, hits: 0, sockets: new Set(), listeners: new Set() };
  const server = createServer((client) => pass(state, client, upstream));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    break: (fault) => {
      state.fault = fault;
      state.hits = 0;
      if (fault.kind === 'refuse') resetAll(state);
    },
    mend: () => {
      state.fault = undefined;
    },
    felt: (times, signal) => untilHit(state, times, signal),
    close: () => close(state, server),
  };
};

const hit = (state: State): void => {
  state.hits += 1;
  for (const listener of [...state.listeners]) listener();
};

const resetAll = (state: State): void => {
  for (const socket of state.sockets) socket.resetAndDestroy();
};

const untilHit = async (state: State, times: number, signal: AbortSignal | undefined): Promise<void> =>
  new Promise((resolve, reject) => {
    const check = (): void => {
      if (state.hits < times) return;
      state.listeners.delete(check);
      resolve();
    };
    state.listeners.add(check);
    signal?.addEventListener('abort', () => {
      state.listeners.delete(check);
      reject(new Error('interrupted'));
    });
    check();
  });

const track = (state: State, socket: Socket): void => {
  state.sockets.add(socket);
  socket.on('close', () => state.sockets.delete(socket));
  socket.on('error', () => undefined); // an end is an end; the other side is told by `close`
};

const pass = (state: State, client: Socket, upstream: { readonly host: string; readonly port: number }): void => {
  track(state, client);
  if (state.fault?.kind === 'refuse') {
    hit(state);
    return void client.resetAndDestroy();
  }
  const server = connect(upstream);
  track(state, server);
  client.on('close', () => server.destroy());
  client.pipe(server);
  answer(state, server, client);
};

/** Passes on what the server says, under the fault that there is when it says it. */
const answer = (state: State, server: Socket, client: Socket): void => {
  let sentUnderFault = 0;
  let order = Promise.resolve();
  server.on('close', () => void order.then(() => client.end()));
  server.on('data', (piece: Buffer) => {
    const { fault } = state;
    if (fault === undefined) sentUnderFault = 0;
    order = order.then(async () => {
      if (fault?.kind === 'slow') {
        hit(state);
        await new Promise((resolve) => setTimeout(resolve, fault.delayMs));
      }
      if (fault?.kind !== 'cut') return void client.write(piece);
      const left = fault.afterBytes - sentUnderFault;
      sentUnderFault += piece.length;
      if (sentUnderFault <= fault.afterBytes) return void client.write(piece);
      hit(state);
      client.write(piece.subarray(0, Math.max(0, left)), () => client.resetAndDestroy());
    });
  });
};

const close = async (state: State, server: Server): Promise<void> => {
  resetAll(state);
  await new Promise<void>((resolve) => server.close(() => resolve()));
};
