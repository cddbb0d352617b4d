// A gateway for one workspace, made of real parts: TLS, the table of rights from crds, a real git server and the scripted model behind it.
// It knows one brief and one token a step; it refuses what the table does not allow, so that a step that asks for too much fails here.
import { createServer, type Server } from 'node:https';
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { sha256 } from '../../../crds/canonical.ts';
import type { Brief } from '../../../crds/contracts/brief.ts';
import { STEP_RIGHTS, type Right, type Step } from '../../../crds/contracts/steps.ts';

export interface DoorOptions {
  readonly tls: { readonly key: string; readonly cert: string };
  readonly git: { readonly url: string; readonly ca: string; readonly repository: string; readonly credentials: string };
  readonly model: string;
  /** What is served as the brief now. */
  readonly brief: () => Brief;
}

export interface Door {
  readonly url: string;
  readonly port: number;
  readonly artifacts: Map<string, Buffer>;
  /** What it was asked to vouch for, as `step claim`; it vouches for everything, unless it is told not to. */
  readonly receipts: string[];
  vouches: boolean;
  /** `step method path status`, for assertions. */
  readonly requests: string[];
  /** So many of the next requests below `notListedFor` are answered 503 NotListedYet. */
  notListedYet: number;
  notListedFor: string;
  /** Speak only git's first protocol, in which a server gives no commits by their id. */
  oldProtocol: boolean;
  /** Runs before a push reaches the server. */
  beforePush: (() => Promise<void>) | undefined;
  close(): Promise<void>;
}

export const tokenOf = (step: Step): string => `token-of-${step}`;

export const openDoor = async (options: DoorOptions): Promise<Door> => {
  const server: Server = createServer(options.tls, (request, response) => {
    void serve(door, options, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const door: Door = {
    url: `https://localhost:${port}`,
    port,
    artifacts: new Map(),
    receipts: [],
    vouches: true,
    requests: [],
    notListedYet: 0,
    notListedFor: '/',
    oldProtocol: false,
    beforePush: undefined,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return door;
};

const serve = async (door: Door, options: DoorOptions, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const url = new URL(request.url ?? '/', door.url);
  const step = stepOf(request.headers.authorization);
  response.once('finish', () => door.requests.push(`${step ?? '?'} ${request.method} ${url.pathname} ${response.statusCode}`));
  if (door.notListedYet > 0 && url.pathname.startsWith(door.notListedFor)) {
    door.notListedYet -= 1;
    return refuse(response, 503, 'NotListedYet');
  }
  const right = rightFor(request.method ?? '', url);
  if (step === undefined) return refuse(response, 401, 'TokenInvalid');
  if (right === undefined) return refuse(response, 404, 'NotFound');
  if (!(STEP_RIGHTS[step] as readonly Right[]).includes(right)) return refuse(response, 403, 'StepMayNot');
  if (right === 'git-push' && request.method === 'POST') await door.beforePush?.();
  if (right === 'brief') return void response.end(JSON.stringify(options.brief()));
  if (right.startsWith('artifact-')) return artifact(door, request, response, url.pathname.slice('/v1/artifacts/'.length));
  if (right === 'receipt') return vouch(door, step, request, response);
  if (right === 'model')
    return pass(request, response, new URL(`${options.model}${url.pathname.slice('/openai/v1'.length)}`), {});
  if (door.oldProtocol) delete request.headers['git-protocol'];
  const target = new URL(`${options.git.url}/${options.git.repository}${url.pathname.slice('/git'.length)}${url.search}`);
  return pass(request, response, target, { authorization: options.git.credentials, ca: options.git.ca });
};

const stepOf = (header: string | undefined): Step | undefined => {
  const [scheme, value = ''] = (header ?? '').split(' ');
  const token = scheme === 'Basic' ? Buffer.from(value, 'base64').toString('utf8').split(':')[1] : value;
  return (Object.keys(STEP_RIGHTS) as Step[]).find((step) => tokenOf(step) === token);
};

const rightFor = (method: string, url: URL): Right | undefined => {
  if (url.pathname === '/v1/brief') return 'brief';
  if (url.pathname === '/v1/receipt') return 'receipt';
  if (url.pathname.startsWith('/v1/artifacts/')) return method === 'PUT' ? 'artifact-put' : 'artifact-get';
  if (url.pathname.startsWith('/openai/v1/')) return 'model';
  if (url.searchParams.get('service') === 'git-receive-pack' || url.pathname === '/git/git-receive-pack') return 'git-push';
  if (url.pathname === '/git/info/refs' || url.pathname === '/git/git-upload-pack') return 'git-fetch';
  return undefined;
};

const bodyOf = async (request: IncomingMessage): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
};

const vouch = async (door: Door, step: Step, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  door.receipts.push(`${step} ${(await bodyOf(request)).toString('utf8')}`);
  if (!door.vouches) return refuse(response, 409, 'NotOnBranch');
  response.writeHead(200).end('{}');
};

const artifact = async (door: Door, request: IncomingMessage, response: ServerResponse, digest: string): Promise<void> => {
  if (request.method !== 'PUT') {
    const found = door.artifacts.get(digest);
    return found === undefined ? refuse(response, 404, 'ArtifactUnknown') : void response.end(found);
  }
  const bytes = await bodyOf(request);
  if (sha256(bytes) !== digest) return refuse(response, 400, 'DigestMismatch');
  door.artifacts.set(digest, bytes);
  response.writeHead(201).end();
};

const pass = (
  request: IncomingMessage,
  response: ServerResponse,
  target: URL,
  how: { authorization?: string; ca?: string },
): void => {
  const { authorization: _step, host: _host, ...headers } = request.headers;
  const send = target.protocol === 'https:' ? httpsRequest : httpRequest;
  const outgoing = send(target, {
    method: request.method,
    headers: { ...headers, ...(how.authorization === undefined ? {} : { authorization: how.authorization }) },
    ...(how.ca === undefined ? {} : { ca: how.ca, servername: 'localhost' }),
  });
  outgoing.on('response', (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
    answer.on('error', () => response.destroy());
  });
  outgoing.on('error', () => response.destroy());
  request.pipe(outgoing);
};

const refuse = (response: ServerResponse, status: number, code: string): void => {
  response
    .writeHead(status, { 'content-type': 'application/json' })
    .end(JSON.stringify({ error: { code, message: `refused: ${code}` } }));
};
