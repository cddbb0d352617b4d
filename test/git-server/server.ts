// A real git server for demo and tests: smart HTTP by `git http-backend` over TLS, with HTTP Basic credentials.
// May: spawn git, serve one folder of bare repositories. Knows nothing of swe-fleet.
import { spawn } from 'node:child_process';
import { createServer, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface GitAccount {
  readonly password: string;
  /** May this account push? Every account may fetch. */
  readonly push: boolean;
}

export interface GitServerOptions {
  /** Folder that holds the bare repositories: `<root>/team/app.git` is served as `/team/app.git`. */
  readonly root: string;
  readonly host: string;
  /** 0 or absent: any free port. */
  readonly port?: number;
  readonly tls: { readonly key: string; readonly cert: string };
  readonly accounts: Readonly<Record<string, GitAccount>>;
  /** Called once a request with method, path and the account's name; for logs and assertions. */
  readonly onRequest?: (line: GitRequestLine) => void;
}

export interface GitRequestLine {
  readonly method: string;
  readonly path: string;
  readonly account: string | undefined;
  readonly status: number;
}

export interface GitServer {
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

export const startGitServer = async (options: GitServerOptions): Promise<GitServer> => {
  const server = createServer({ key: options.tls.key, cert: options.tls.cert }, (request, response) => {
    serve(options, request, response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, options.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return { url: `https://${options.host}:${port}`, port, close: () => closeServer(server) };
};

const serve = (options: GitServerOptions, request: IncomingMessage, response: ServerResponse): void => {
  const url = new URL(request.url ?? '/', 'https://git.invalid');
  const account = accountOf(options.accounts, request.headers.authorization);
  const wantsPush = url.pathname.endsWith('/git-receive-pack') || url.searchParams.get('service') === 'git-receive-pack';
  const log = (status: number): void =>
    options.onRequest?.({ method: request.method ?? '', path: url.pathname, account, status });
  if (account === undefined || (wantsPush && options.accounts[account]?.push !== true)) {
    const status = account === undefined ? 401 : 403;
    log(status);
    response.writeHead(status, { 'www-authenticate': 'Basic realm="git"' }).end('credentials that may do this are needed\n');
    request.resume();
    return;
  }
  runBackend(options, { request, response, url, account, log });
};

const accountOf = (accounts: GitServerOptions['accounts'], header: string | undefined): string | undefined => {
  const [scheme, encoded] = (header ?? '').split(' ');
  if (scheme !== 'Basic' || encoded === undefined) return undefined;
  const [name = '', ...rest] = Buffer.from(encoded, 'base64').toString('utf8').split(':');
  return Object.hasOwn(accounts, name) && accounts[name]?.password === rest.join(':') ? name : undefined;
};

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly account: string;
  readonly log: (status: number) => void;
}

/** One CGI call of `git http-backend`: header block, empty line, body. */
const runBackend = (options: GitServerOptions, { request, response, url, account, log }: Exchange): void => {
  const backend = spawn('git', ['http-backend'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: {
      PATH: process.env['PATH'],
      GIT_PROJECT_ROOT: options.root,
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_CONFIG_COUNT: '2',
      GIT_CONFIG_KEY_0: 'safe.directory',
      GIT_CONFIG_VALUE_0: '*',
      GIT_CONFIG_KEY_1: 'http.receivepack',
      GIT_CONFIG_VALUE_1: 'true',
      PATH_INFO: url.pathname,
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
      REMOTE_USER: account,
    },
  });
  request.pipe(backend.stdin);
  backend.stdin.on('error', () => request.resume()); // the backend may answer before it has read everything
  response.on('close', () => backend.kill());
  let head = Buffer.alloc(0);
  let open = false;
  backend.stdout.on('data', (chunk: Buffer) => {
    if (open) return void response.write(chunk);
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) return;
    open = true;
    const status = writeHead(response, head.subarray(0, end).toString('latin1'));
    log(status);
    response.write(head.subarray(end + 4));
  });
  backend.stdout.on('end', () => {
    if (!open) response.writeHead(500);
    response.end();
  });
};

const writeHead = (response: ServerResponse, block: string): number => {
  let status = 200;
  for (const line of block.split('\r\n')) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (name === 'status') status = Number.parseInt(value, 10);
    else if (name !== '') response.setHeader(name, value);
  }
  response.writeHead(status);
  return status;
};

const closeServer = async (server: Server): Promise<void> => {
  server.closeAllConnections();
  await new Promise<void>((resolve) => server.close(() => resolve()));
};
