// What the machine's own apt says about where Debian packages come from: read through apt's commands, never by parsing its files. Builds and the base image
// use this and name no package server of their own.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../command.ts';

export interface AptSources {
  /** One-line `deb ...` entries of one Debian suite with its updates and security. */
  readonly lines: readonly string[];
  /** apt.conf text: the machine's proxy, timeout and date settings. */
  readonly acquire: string;
}

/** Throws when the machine has no source for the suite. */
export const readAptSources = async (suite: string): Promise<AptSources> => {
  const format = '$(CREATED_BY)\t$(SITE)\t$(RELEASE)\t$(COMPONENT)';
  const rows = (await run(['apt-get', 'indextargets', '--format', format])).split('\n').map((row) => row.split('\t'));
  const lines = rows
    .filter(
      ([kind, , release, component]) =>
        kind === 'Packages' && component === 'main' && (release === suite || release?.startsWith(`${suite}-`)),
    )
    .filter(([, , release]) => [suite, `${suite}-updates`, `${suite}-security`].includes(release ?? ''))
    .map(([, site, release]) => `deb ${site} ${release} main`);
  if (!lines.some((line) => line.endsWith(` ${suite} main`))) {
    throw new Error(
      `this machine's apt knows no source for Debian ${suite} main; next: add one to /etc/apt/sources.list.d and run apt-get update`,
    );
  }
  return { lines: [...new Set(lines)].sort(), acquire: acquireSettings(await run(['apt-config', 'dump'])) };
};

// Settings of how packages are fetched. Index and compression tables are apt's own business and differ between versions.
const acquireSettings = (dump: string): string => {
  const wanted = dump
    .split('\n')
    .filter((line) => /^Acquire::(https?|ftp|Retries|Check-|ForceIPv|AllowInsecure|Proxy|Queue-Mode)/i.test(line));
  return [...wanted.filter((line) => !line.endsWith(' "";')), 'Acquire::Languages "none";', ''].join('\n');
};

/** As in the registry's Debian images: what apt downloads does not stay in a layer. */
const KEEP_NOTHING = [
  'Dir::Cache::pkgcache "";',
  'Dir::Cache::srcpkgcache "";',
  'DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb || true"; };',
  'Dpkg::Options:: "--force-unsafe-io";',
];

const AUTH = '/etc/apt/auth.conf.d';

/** Directories with the machine's sources and settings that RUN lines see in place of the image's own: nothing of them stays in a layer. */
export const aptVolumes = async (suite: string, home: string): Promise<readonly string[]> => {
  const { lines, acquire } = await readAptSources(suite);
  const directoryOf = (name: string, file: string, text: string): string => {
    mkdirSync(join(home, name), { recursive: true });
    writeFileSync(join(home, name, file), text);
    return `${join(home, name)}:/etc/apt/${name}:ro`;
  };
  return [
    directoryOf('sources.list.d', 'machine.list', `${lines.join('\n')}\n`),
    directoryOf('apt.conf.d', 'machine', `${acquire}${KEEP_NOTHING.join('\n')}\n`),
    ...(existsSync(AUTH) ? [`${AUTH}:${AUTH}:ro`] : []),
  ];
};
