// The Debian packages that building images needs on the host. A list only: installing is the cluster tooling's part (or build.ts's, when run alone).

export const imageHostPackages: readonly string[] = ['mmdebstrap', 'attr', 'tar', 'util-linux', 'coreutils', 'ca-certificates'];
