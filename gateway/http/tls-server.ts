// The TLS listener with all its bounds: header sizes and counts, times to send them, connections in all and from one address.

import { createServer, type Server } from 'node:https';
import type { Socket } from 'node:net';
import { errorFields, type Log } from '../../runtime/log.ts';
import type { Door } from './door.ts';
import type { KeyPair } from './tls-files.ts';

export interface TlsServerOptions {
  readonly pair: KeyPair;
  readonly door: Door;
  readonly log: Log;
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
}

const limitPerAddress = (server: Server, limit: number): void => {
  const open = new Map<string, number>();
  server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? '';
    const count = (open.get(address) ?? 0) + 1;
    if (count > limit) {
      socket.destroy();
      return;
    }
    open.set(address, count);
    socket.once('close', () => {
      const left = (open.get(address) ?? 1) - 1;
      if (left === 0) open.delete(address);
      else open.set(address, left);
    });
  });
};

export const tlsServer = (options: TlsServerOptions): Server => {
  const { pair, door, log } = options;
  const server = createServer(
    {
      ...pair,
      minVersion: 'TLSv1.2',
      maxHeaderSize: 32_768,
      headersTimeout: 15_000,
      requestTimeout: 600_000,
      handshakeTimeout: 15_000,
      keepAliveTimeout: 30_000,
      ALPNProtocols: ['http/1.1'],
    },
    (request, response) => {
      response.on('error', () => undefined);
      request.on('error', () => undefined);
      void door.request(request, response);
    },
  );
  server.maxHeadersCount = 64;
  server.maxConnections = options.maxConnections;
  limitPerAddress(server, options.maxConnectionsPerAddress);
  server.on('connect', (request, socket, head) => void door.connect(request, socket, head));
  server.on('tlsClientError', (error) => log.debug('tls handshake failed', errorFields(error)));
  server.on('clientError', (_error, socket) => {
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
    else socket.destroy();
  });
  return server;
};
