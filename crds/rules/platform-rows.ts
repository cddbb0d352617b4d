// Which row of the platform engineer's tables applies to what a Council or a Story names, and whether it serves the namespace.
//
//   found             the row, and it serves the namespace
//   notForNamespace   a row applies, but the platform engineer gave it to other namespaces
//   unknown           no row applies
import type { ImageProfile, PlatformConfig, Upstream } from '../contracts/platform.ts';
import type { Council } from '../kinds/council.ts';
import type { Attempt } from '../kinds/task.ts';

export type RowLookup<Row> = { readonly kind: 'found' | 'notForNamespace'; readonly row: Row } | { readonly kind: 'unknown' };

interface Served {
  readonly namespaces: readonly string[];
}

const servesNamespace = ({ namespaces }: Served, namespace: string): boolean =>
  namespaces.includes('*') || namespaces.includes(namespace);

/** Of rows that apply, the best first: the first that serves the namespace. */
const servingOf = <Row extends Served>(rows: readonly Row[], namespace: string): RowLookup<Row> => {
  const serving = rows.find((row) => servesNamespace(row, namespace));
  if (serving !== undefined) return { kind: 'found', row: serving };
  const [other] = rows;
  return other === undefined ? { kind: 'unknown' } : { kind: 'notForNamespace', row: other };
};

export const foundRow = <Row>(lookup: RowLookup<Row>): Row | undefined => (lookup.kind === 'found' ? lookup.row : undefined);

/** The image profile of that name. */
export const imageProfileNamed = (
  wanted: string,
  namespace: string,
  { imageProfiles }: Pick<PlatformConfig, 'imageProfiles'>,
): RowLookup<ImageProfile> =>
  servingOf(
    imageProfiles.filter(({ name }) => name === wanted),
    namespace,
  );

/** The image profile of a Council's workspaces. */
export const imageProfileOf = (
  { metadata, spec }: Council,
  platform: Pick<PlatformConfig, 'imageProfiles'>,
): RowLookup<ImageProfile> => imageProfileNamed(spec.workspace.imageProfile, metadata.namespace, platform);

/** The name of the image profile that a courier runs in: its attempt's, or, where that does not say, its Council's. */
export const courierProfileName = (attempt: Attempt | undefined, council: Council | undefined): string | undefined =>
  attempt?.imageProfile ?? council?.spec.workspace.imageProfile;

/** The model endpoint of that name. */
export const modelUpstream = (endpoint: string, namespace: string, upstreams: readonly Upstream[]): RowLookup<Upstream> =>
  servingOf(
    upstreams.filter(({ kind, name }) => kind === 'model' && name === endpoint),
    namespace,
  );

/** Whether the platform lets that model be asked for; a row without a list offers whatever its endpoint has. */
export const offersModel = ({ models }: Upstream, model: string): boolean => models === undefined || models.includes(model);

const DEFAULT_PORTS = { https: 443, http: 80 } as const;

/** `host:port` in lower case, with the scheme's own port where none is given. */
const authorityOf = (scheme: Upstream['scheme'], host: string): string =>
  (/:\d+$/.test(host) ? host : `${host}:${DEFAULT_PORTS[scheme]}`).toLowerCase();

export interface RepositoryPlace {
  readonly scheme: Upstream['scheme'];
  /** With an optional `:port`. */
  readonly host: string;
  /** The path's parts, each checked to be plain. */
  readonly segments: readonly string[];
}

const isBelow = (segments: readonly string[], prefix: string): boolean => {
  const wanted = prefix.split('/').filter((segment) => segment !== '');
  return wanted.length <= segments.length && wanted.every((segment, at) => segments[at] === segment);
};

/** The git row whose prefix holds the repository; of several the longest prefix that serves the namespace. */
export const gitUpstream = (
  { scheme, host, segments }: RepositoryPlace,
  namespace: string,
  upstreams: readonly Upstream[],
): RowLookup<Upstream> =>
  servingOf(
    upstreams
      .filter((row) => row.kind === 'git' && row.scheme === scheme)
      .filter((row) => authorityOf(scheme, row.host) === authorityOf(scheme, host) && isBelow(segments, row.prefix))
      .toSorted((a, b) => b.prefix.length - a.prefix.length),
    namespace,
  );

/** The egress row for exactly that host and port; a row without a port means its scheme's own. */
export const egressUpstream = (
  { host, port }: { readonly host: string; readonly port: number },
  namespace: string,
  upstreams: readonly Upstream[],
): RowLookup<Upstream> =>
  servingOf(
    upstreams.filter((row) => row.kind === 'egress' && authorityOf(row.scheme, row.host) === `${host}:${port}`),
    namespace,
  );
