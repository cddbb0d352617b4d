// One network namespace with a server and a client in it, driven over the process channel: `listen` on ports, `connect` to one, `cancel` an attempt (so that
// it sends no further packet). It ends with its parent.
import { createSocket } from 'node:dgram';
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';

export type Protocol = 'TCP' | 'UDP';

export type PeerRequest =
  | { readonly id: number; readonly do: 'listen'; readonly protocol: Protocol; readonly port: number; readonly host?: string }
  | { readonly id: number; readonly do: 'connect'; readonly protocol: Protocol; readonly host: string; readonly port: number }
  | { readonly id: number; readonly do: 'cancel'; readonly of: number };

export interface PeerAnswer {
  readonly id: number;
  readonly result: 'listening' | 'connected' | 'refused' | 'cancelled' | 'ready';
}

const answer = (id: number, result: PeerAnswer['result']): void => {
  process.send?.({ id, result } satisfies PeerAnswer);
};

const listen = ({ id, protocol, port, host = '0.0.0.0' }: PeerRequest & { do: 'listen' }): void => {
  if (protocol === 'TCP') {
    const server = createServer((socket: Socket) => socket.on('error', () => undefined).end('hello'));
    server.listen(port, host, () => answer(id, 'listening'));
    return;
  }
  const socket = createSocket('udp4');
  socket.on('message', (_message, from) => socket.send('hello', from.port, from.address));
  socket.bind(port, host, () => answer(id, 'listening'));
};

const attempts = new Map<number, () => void>();

/** Answers when the far end did. What is dropped on the way is never answered; the kernel's counters tell of that. */
const reach = ({ id, protocol, host, port }: PeerRequest & { do: 'connect' }): void => {
  if (protocol === 'TCP') {
    const socket = connect({ host, port });
    socket.on('data', () => answer(id, 'connected'));
    socket.on('error', () => answer(id, 'refused'));
    attempts.set(id, () => socket.destroy());
    return;
  }
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  socket.on('message', () => answer(id, 'connected'));
  socket.on('error', () => answer(id, 'refused'));
  socket.send('hello', port, host);
  attempts.set(id, () => socket.close());
};

process.on('message', (request: PeerRequest) => {
  switch (request.do) {
    case 'listen':
      return listen(request);
    case 'connect':
      return reach(request);
    case 'cancel':
      attempts.get(request.of)?.();
      return answer(request.id, 'cancelled');
  }
});
process.on('disconnect', () => process.exit());
answer(-1, 'ready');
