// The credentials and CAs of upstreams, read from the files that the chart mounts, at each use: a rotated Secret needs no restart.
// What is read here goes into one request and nowhere else; nothing of it is logged, kept or sent to a caller.

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Upstream } from '../../crds/contracts/platform.ts';
import { Refusal } from '../http/refusal.ts';

export interface UpstreamSecrets {
  /** The PEM bundle to trust, where the upstream has one of its own. */
  ca(upstream: Upstream): Promise<string | undefined>;
  /** The `Authorization` header for it, where it has credentials. */
  authorization(upstream: Upstream): Promise<string | undefined>;
}

const MAX_SECRET_CHARS = 64 * 1024;

const unreadable = (upstream: Upstream, cause: unknown): Refusal =>
  new Refusal(502, 'UpstreamMisconfigured', 'the platform has no usable credentials for this upstream', {
    cause,
    detail: `upstream ${upstream.name}`,
  });

export class MountedSecrets implements UpstreamSecrets {
  readonly #root: string;

  /** `root` holds `<upstream>/credentials/{apiKey,username,password}` and `<upstream>/ca/ca.crt`. */
  constructor(root: string) {
    this.#root = root;
  }

  async ca(upstream: Upstream): Promise<string | undefined> {
    return upstream.ca ? this.#read(upstream, 'ca/ca.crt') : undefined;
  }

  async authorization(upstream: Upstream): Promise<string | undefined> {
    if (!upstream.credentials) return undefined;
    switch (upstream.kind) {
      case 'model':
        return `Bearer ${await this.#word(upstream, 'credentials/apiKey')}`;
      case 'git': {
        const user = await this.#word(upstream, 'credentials/username');
        const password = await this.#word(upstream, 'credentials/password');
        return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
      }
      case 'egress':
        return undefined;
    }
  }

  async #word(upstream: Upstream, file: string): Promise<string> {
    const word = (await this.#read(upstream, file)).trim();
    if (/^[\x20-\x7e]+$/.test(word)) return word;
    throw unreadable(upstream, new Error(`${file} is empty or not plain text`));
  }

  async #read(upstream: Upstream, file: string): Promise<string> {
    if (!/^[a-z0-9][a-z0-9-]*$/.test(upstream.name)) throw unreadable(upstream, new Error('the name is no file name'));
    const text = await readFile(path.join(this.#root, upstream.name, file), 'utf8').catch((cause: unknown) => {
      throw unreadable(upstream, cause);
    });
    if (text.length > MAX_SECRET_CHARS) throw unreadable(upstream, new Error(`${file} is too large`));
    return text;
  }
}

/** Takes a credential out of a text that goes further, whatever an upstream echoed. */
export const withoutCredential = (text: string, authorization: string | undefined): string => {
  if (authorization === undefined) return text;
  const secret = authorization.replace(/^\w+ /, '');
  const plain = Buffer.from(secret, 'base64').toString('utf8').split(':').slice(1).join(':');
  return [secret, plain].filter((word) => word.length >= 4).reduce((left, word) => left.replaceAll(word, '…'), text);
};
