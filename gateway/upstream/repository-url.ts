// Matches a Story's repository against the platform engineer's table. Pure. The URL comes from a CR, so it is hostile: it selects a
// row and a path below that row's prefix, and nothing else of it is ever used.

import type { Upstream } from '../../crds/contracts/platform.ts';
import { gitUpstream } from '../../crds/rules/platform-rows.ts';

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

/**
 * The row for a repository of a namespace. The text is taken apart by hand, not by a URL parser, because a parser repairs: it
 * would turn `..`, `\` and `%2e` into paths that nobody compared.
 */
export const matchRepository = (url: string, namespace: string, upstreams: readonly Upstream[]): Matched => {
  const parts = /^(https?):\/\/([A-Za-z0-9.-]+(?::\d{1,5})?|\[[0-9a-fA-F:.]+\](?::\d{1,5})?)(\/.*)$/.exec(url);
  if (parts === null) return no('the repository is no plain http(s) URL');
  const [, scheme = '', host = '', path = ''] = parts;
  const segments = segmentsOf(path);
  if (segments === undefined) return no('the repository has a path that is not plain');
  const place = { scheme: scheme === 'https' ? 'https' : 'http', host, segments } as const;
  const lookup = gitUpstream(place, namespace, upstreams);
  return lookup.kind === 'found'
    ? { ok: true, upstream: lookup.row, path: `/${segments.join('/')}` }
    : no('no git upstream of the platform serves this repository to this namespace');
};
