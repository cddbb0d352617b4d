// Finds the caller's token in a request: `Bearer`, or the password of `Basic` for programs that know nothing else (git, package
// managers behind the tunnel).

import type { IncomingMessage } from 'node:http';

const MAX_HEADER_CHARS = 24_000;

const tokenOf = (header: string | undefined): string | undefined => {
  if (header === undefined || header.length > MAX_HEADER_CHARS) return undefined;
  const [, scheme = '', value = ''] = /^(Bearer|Basic) +(\S+)$/i.exec(header) ?? [];
  if (scheme.toLowerCase() === 'bearer') return value;
  if (scheme.toLowerCase() !== 'basic') return undefined;
  const pair = Buffer.from(value, 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  return colon < 0 ? undefined : pair.slice(colon + 1);
};

export const callerToken = (request: IncomingMessage): string | undefined =>
  tokenOf(request.method === 'CONNECT' ? request.headers['proxy-authorization'] : request.headers.authorization);
