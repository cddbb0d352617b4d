/**
 * The few API calls that bring a cluster up: a certificate-bearing client on node:https, nothing that the product uses.
 */
import { readFileSync } from 'node:fs';
import { request, type Agent } from 'node:https';
import { join } from 'node:path';

export interface ApiAnswer {
  readonly status: number;
  readonly body: unknown;
}

export interface ApiCall {
  readonly method?: 'GET' | 'PATCH' | 'POST' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  readonly contentType?: string;
}

export interface ApiCredentials {
  readonly url: string;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  readonly agent: Agent;
}

export const credentialsFrom = (pki: string, client: string, url: string, agent: Agent): ApiCredentials => ({
  url,
  ca: readFileSync(join(pki, 'ca.crt'), 'utf8'),
  cert: readFileSync(join(pki, `${client}.crt`), 'utf8'),
  key: readFileSync(join(pki, `${client}.key`), 'utf8'),
  agent,
});

const CALL_TIMEOUT_MS = 5_000;

/** One call; a body that is no JSON comes back as text. @throws when there is no answer */
export const callApi = async (credentials: ApiCredentials, call: ApiCall): Promise<ApiAnswer> => {
  const { url, ...tls } = credentials;
  const text = call.body === undefined ? undefined : JSON.stringify(call.body);
  return new Promise((resolve, reject) => {
    const sent = request(new URL(call.path, url), {
      ...tls,
      method: call.method ?? 'GET',
      timeout: CALL_TIMEOUT_MS,
      headers: text === undefined ? {} : { 'content-type': call.contentType ?? 'application/json' },
    });
    sent.on('timeout', () => sent.destroy(new Error(`${call.path}: no answer in ${CALL_TIMEOUT_MS} ms`)));
    sent.on('error', reject);
    sent.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: parsed(Buffer.concat(chunks).toString()) }));
    });
    sent.end(text);
  });
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
};

/** Reads a watch until it ends, calling `onEvent` with each event's object. @throws when the stream breaks */
export const watchApi = async (credentials: ApiCredentials, path: string, onEvent: (object: unknown) => void): Promise<void> => {
  const { url, ...tls } = credentials;
  return new Promise((resolve, reject) => {
    const sent = request(new URL(path, url), tls);
    sent.on('error', reject);
    sent.on('response', (response) => {
      let rest = '';
      response.on('data', (chunk: Buffer) => {
        const lines = (rest + chunk.toString()).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) onEvent((parsed(line) as { readonly object?: unknown }).object);
      });
      response.on('error', reject);
      response.on('end', resolve);
    });
    sent.end();
  });
};
