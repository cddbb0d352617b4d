// A plain HTTP proxy on the loopback of a step that may reach listed hosts: CONNECT is passed on to the gateway over TLS with the step's
// token. So every tool that knows HTTPS_PROXY works, and no token stands in an environment. It decides nothing: the gateway does.
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { GatewayPlace } from './client.ts';

export interface EgressProxy {
  /** `http://127.0.0.1:<port>`. */
  readonly url: string;
  close(): Promise<void>;
}

const MAX_HEAD_BYTES = 16 * 1024;
const target = /^[A-Za-z0-9.-]{1,253}:\d{1,5}$/;

export const startEgressProxy = async (place: GatewayPlace, token: () => Promise<string>): Promise<EgressProxy> => {
  const sockets = new Set<Socket>();
  const server: Server = createServer((_request, response) => {
    response.writeHead(405, { connection: 'close' }).end('only CONNECT to https hosts is passed on\n');
  });
  server.on('connection', (socket) => sockets.add(socket.once('close', () => sockets.delete(socket))));
  server.on('connect', (request, socket: Socket, head) => {
    socket.on('error', () => socket.destroy());
    void tunnel({ place, host: request.url ?? '', socket, head }, token);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

interface Tunnel {
  readonly place: GatewayPlace;
  readonly host: string;
  readonly socket: Socket;
  readonly head: Buffer;
}

const tunnel = async ({ place, host, socket, head }: Tunnel, token: () => Promise<string>): Promise<void> => {
  if (!target.test(host)) return void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
  const upstream = open(place);
  upstream.on('error', () => socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'));
  socket.on('close', () => upstream.destroy());
  upstream.on('close', () => socket.end());
  try {
    upstream.write(`CONNECT ${host} HTTP/1.1\r\nHost: ${host}\r\nProxy-Authorization: Bearer ${await token()}\r\n\r\n`);
  } catch {
    return void socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
  }
  relayAnswer(upstream, socket, head);
};

const open = (place: GatewayPlace): TLSSocket => {
  const { hostname, port } = new URL(place.url);
  const number = port === '' ? 443 : Number(port);
  // The name in the certificate is checked by TLS; an address has no server name to send.
  return connectTls({
    socket: connect(number, hostname),
    ca: place.ca,
    host: hostname,
    ALPNProtocols: ['http/1.1'],
    ...serverName(hostname),
  });
};

const serverName = (hostname: string): { servername?: string } => (/^[\d.]+$/.test(hostname) ? {} : { servername: hostname });

/** The gateway's answer goes to the tool as it is; after it the two are one pipe. */
const relayAnswer = (upstream: TLSSocket, socket: Socket, head: Buffer): void => {
  let seen = Buffer.alloc(0);
  const onData = (chunk: Buffer): void => {
    seen = Buffer.concat([seen, chunk]);
    const end = seen.indexOf('\r\n\r\n');
    if (end < 0 && seen.length <= MAX_HEAD_BYTES) return;
    upstream.off('data', onData);
    socket.write(seen);
    if (end < 0) return void upstream.destroy();
    if (head.length > 0) upstream.write(head);
    upstream.pipe(socket);
    socket.pipe(upstream);
  };
  upstream.on('data', onData);
};
