// A plain HTTP proxy in front of a real API server that passes everything through, but for the faults it is told to make.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Agent, type Dispatcher } from 'undici';
import type { Connection } from '../../kube/connection.ts';
import { splitLines } from '../../kube/watch-stream.ts';

/**
 * What becomes of the next line of a watch that holds the text:
 * reset    half of it is sent, then the connection is torn down
 * end      half of it is sent, then the stream ends as if all were well
 * swallow  it is not sent, the stream goes on
 * replace  the given line is sent in its place
 */
export type Fault =
  | { readonly text: string; readonly then: 'reset' | 'end' | 'swallow' }
  | { readonly text: string; readonly then: 'replace'; readonly line: string };

export interface FaultyProxy {
  readonly connection: Connection;
  /** Paths with query of all requests so far. */
  readonly requests: readonly string[];
  arm(fault: Fault): void;
  /** The next watch asks for this resourceVersion instead of its own. */
  rewindNextWatch(resourceVersion: string): void;
  /** From now on watches say nothing, until `release`, which says it all in order. */
  hold(): void;
  release(): void;
  /** Cuts all watches that are open now. */
  cutWatches(): void;
  close(): Promise<void>;
}

interface State {
  readonly requests: string[];
  readonly watches: Set<ServerResponse>;
  fault: Fault | undefined;
  rewindTo: string | undefined;
  /** Kept while the watches are held back. */
  held: PromiseWithResolvers<void> | undefined;
}

const passLines = async (state: State, lines: AsyncIterable<string>, answer: ServerResponse): Promise<void> => {
  for await (const line of lines) {
    await state.held?.promise;
    const { fault } = state;
    if (fault === undefined || !line.includes(fault.text)) {
      answer.write(`${line}\n`);
      continue;
    }
    state.fault = undefined;
    if (fault.then === 'swallow') continue;
    if (fault.then === 'replace') {
      answer.write(`${fault.line}\n`);
      continue;
    }
    const half = line.slice(0, Math.floor(line.length / 2));
    await new Promise((written) => answer.write(half, written));
    if (fault.then === 'reset') answer.socket?.resetAndDestroy();
    else answer.end();
    return;
  }
  answer.end();
};

const readAll = async (request: IncomingMessage): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
};

const forward = async (
  state: State,
  upstream: Connection,
  agent: Agent,
  exchange: readonly [IncomingMessage, ServerResponse],
) => {
  const [request, answer] = exchange;
  const url = new URL(request.url ?? '/', 'http://proxy');
  const isWatch = url.searchParams.get('watch') === 'true';
  if (isWatch && state.rewindTo !== undefined) {
    url.searchParams.set('resourceVersion', state.rewindTo);
    state.rewindTo = undefined;
  }
  state.requests.push(`${url.pathname}${url.search}`);
  const body = await readAll(request);
  const type = request.headers['content-type'];
  const gone = new AbortController();
  answer.on('close', () => gone.abort());
  const upstreamAnswer = await agent.request({
    origin: upstream.server,
    path: `${url.pathname}${url.search}`,
    method: request.method as Dispatcher.HttpMethod,
    headers: {
      ...(await upstream.identity(false)),
      ...(type !== undefined && { 'content-type': type }),
      accept: 'application/json',
    },
    body: body.length === 0 ? null : body,
    signal: gone.signal,
  });
  answer.writeHead(upstreamAnswer.statusCode, { 'content-type': 'application/json' });
  answer.flushHeaders();
  if (!isWatch || upstreamAnswer.statusCode !== 200) {
    answer.end(Buffer.from(await upstreamAnswer.body.arrayBuffer()));
    return;
  }
  state.watches.add(answer);
  await passLines(state, splitLines(upstreamAnswer.body as AsyncIterable<Uint8Array>), answer);
};

export const startFaultyProxy = async (upstream: Connection): Promise<FaultyProxy> => {
  const state: State = { requests: [], watches: new Set(), fault: undefined, rewindTo: undefined, held: undefined };
  const agent = new Agent({ connect: { ...upstream.tls }, allowH2: false });
  const server = createServer((request, answer) => {
    forward(state, upstream, agent, [request, answer]).catch(() => answer.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    connection: { server: `http://127.0.0.1:${port}`, tls: {}, identity: async () => ({}) },
    requests: state.requests,
    arm: (fault) => {
      state.fault = fault;
    },
    rewindNextWatch: (resourceVersion) => {
      state.rewindTo = resourceVersion;
    },
    hold: () => {
      state.held ??= Promise.withResolvers();
    },
    release: () => {
      state.held?.resolve();
      state.held = undefined;
    },
    cutWatches: () => {
      for (const watch of state.watches) watch.destroy();
      state.watches.clear();
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await agent.destroy();
    },
  };
};
