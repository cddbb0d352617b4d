// The server's certificate, from files that may be replaced at any moment: looks at them on a timer and swaps the context of the
// running server when they changed and are good. A bad pair is logged and the one in use stays.

import { X509Certificate, createPrivateKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { wordsOf, type Log } from '../log.ts';

export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** Reads and checks the pair. Throws when one is missing, unreadable or not of the other. */
export const readKeyPair = async (files: CertificateFiles): Promise<KeyPair> => {
  const [cert, key] = await Promise.all([readFile(files.certFile, 'utf8'), readFile(files.keyFile, 'utf8')]);
  createSecureContext({ cert, key });
  if (!new X509Certificate(cert).checkPrivateKey(createPrivateKey(key)))
    throw new Error('the private key is not that of the certificate');
  return { cert, key };
};

export interface SecureServer {
  setSecureContext(options: KeyPair & { readonly minVersion: 'TLSv1.2' }): void;
}

/** Keeps the server's certificate as the files have it, from `pair` on, until `signal` aborts. */
export const followKeyPair = (
  server: SecureServer,
  options: CertificateFiles & {
    readonly pair: KeyPair;
    readonly everyMs: number;
    readonly log: Log;
    readonly signal: AbortSignal;
  },
): void => {
  let current = options.pair;
  const look = async (): Promise<void> => {
    try {
      const next = await readKeyPair(options);
      if (next.cert === current.cert && next.key === current.key) return;
      server.setSecureContext({ ...next, minVersion: 'TLSv1.2' });
      current = next;
      options.log.write('info', 'certificate replaced', { validTo: new X509Certificate(next.cert).validTo });
    } catch (error) {
      options.log.write('error', 'certificate not replaced', { error: wordsOf(error) });
    }
  };
  const timer = setInterval(() => void look(), options.everyMs).unref();
  options.signal.addEventListener('abort', () => clearInterval(timer), { once: true });
};
