// The canary port: accepts and closes. A workspace that reaches it is not contained by its NetworkPolicy and ends itself; nothing is
// read here and nothing answered.

import { createServer, type Server } from 'node:net';

export const canaryServer = (): Server =>
  createServer((socket) => {
    socket.on('error', () => undefined);
    socket.end();
  });
