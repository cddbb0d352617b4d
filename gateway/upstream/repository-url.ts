// Matches a Story's repository against the platform engineer's table. Pure. The URL comes from a CR, so it is hostile: it selects a
// row and a path below that row's prefix, and nothing else of it is ever used.

import { servesNamespace, type Upstream } from '../../crds/contracts/platform.ts';

export type Matched =
  { readonly ok: true; readonly upstream: Upstream; readonly path: string } | { readonly ok: false; readonly message: string };

const SEGMENT = /^[A-Za-z0-9._~+@=-]+$/;

const no = (message: string): Matched => ({ ok: false, message });

/** The path's segments, or undefined when one could be read in two ways: encoded, empty, `.`, `..` or with odd characters. */
const segmentsOf = (path: string): readonly string[] | undefined => {
  if (!path.startsWith('/')) return undefined;
  const segments = path.replace(/\/$/, '').split('/').slice(1);
  const plain = segments.every((segment) => SEGMENT.test(segment) && segment !== '.' && segment !== '..');
  return plain ? segments : undefined;
};

const begins = (segments: readonly string[], prefix: string): boolean => {
  const wanted = prefix.split('/').filter((segment) => segment !== '');
  return wanted.length <= segments.length && wanted.every((segment, at) => segments[at] === segment);
};

const DEFAULT_PORTS = { https: '443', http: '80' } as const;

/** `host[:port]` with the scheme's own port left out, in lower case. */
export const authorityOf = (scheme: 'http' | 'https', host: string): string => {
  const lower = host.toLowerCase();
  return lower.endsWith(`:${DEFAULT_PORTS[scheme]}`) ? lower.slice(0, lower.lastIndexOf(':')) : lower;
};

/**
 * The row for a repository of a namespace. The text is taken apart by hand, not by a URL parser, because a parser repairs: it
 * would turn `..`, `\` and `%2e` into paths that nobody compared. The longest prefix wins.
 */
export const matchRepository = (url: string, namespace: string, upstreams: readonly Upstream[]): Matched => {
  const parts = /^(https?):\/\/([A-Za-z0-9.-]+(?::\d{1,5})?|\[[0-9a-fA-F:.]+\](?::\d{1,5})?)(\/.*)$/.exec(url);
  if (parts === null) return no('the repository is no plain http(s) URL');
  const [, scheme = '', host = '', path = ''] = parts;
  const segments = segmentsOf(path);
  if (segments === undefined) return no('the repository has a path that is not plain');
  const plainScheme = scheme === 'https' ? 'https' : 'http';
  const candidates = upstreams
    .filter((row) => row.kind === 'git' && row.scheme === plainScheme)
    .filter((row) => authorityOf(row.scheme, row.host) === authorityOf(plainScheme, host))
    .filter((row) => begins(segments, row.prefix) && servesNamespace(row, namespace))
    .toSorted((a, b) => b.prefix.length - a.prefix.length);
  const [upstream] = candidates;
  return upstream === undefined
    ? no('no git upstream of the platform serves this repository to this namespace')
    : { ok: true, upstream, path: `/${segments.join('/')}` };
};
