// What the machine's own apt says about where Debian packages come from: read through apt's commands, never by parsing its files.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './exec.ts';

export interface AptSources {
  /** One-line `deb ...` entries of one Debian suite with its updates and security. */
  readonly lines: readonly string[];
  /** apt.conf text: the machine's proxy, timeout and date settings. */
  readonly acquire: string;
}

/** Throws when the machine has no source for the suite. */
export async function readAptSources(suite: string): Promise<AptSources> {
  const format = '$(CREATED_BY)\t$(SITE)\t$(RELEASE)\t$(COMPONENT)';
  const rows = (await run('apt-get', ['indextargets', '--format', format])).split('\n').map((row) => row.split('\t'));
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
  return { lines: [...new Set(lines)].sort(), acquire: acquireSettings(await run('apt-config', ['dump'])) };
}

// Settings of how packages are fetched. Index and compression tables are apt's own business and differ between versions.
function acquireSettings(dump: string): string {
  const wanted = dump
    .split('\n')
    .filter((line) => /^Acquire::(https?|ftp|Retries|Check-|ForceIPv|AllowInsecure|Proxy|Queue-Mode)/i.test(line));
  return [...wanted.filter((line) => !line.endsWith(' "";')), 'Acquire::Languages "none";', ''].join('\n');
}

/** Writes them as the directories that a chroot mounts over its own /etc/apt/sources.list.d and apt.conf.d. */
export async function writeAptDirectories(
  sources: AptSources,
  home: string,
): Promise<{ readonly lists: string; readonly conf: string }> {
  const lists = join(home, 'sources.list.d');
  const conf = join(home, 'apt.conf.d');
  await mkdir(lists, { recursive: true });
  await mkdir(conf, { recursive: true });
  await writeFile(join(lists, 'machine.list'), `${sources.lines.join('\n')}\n`);
  await writeFile(join(conf, 'machine'), `${sources.acquire}Dpkg::Options:: "--force-unsafe-io";\n`);
  return { lists, conf };
}
