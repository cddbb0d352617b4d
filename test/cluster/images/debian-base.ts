// Makes the root file system that stands in for the registry's debian:<suite>-slim, with mmdebstrap, from the machine's own apt sources: the packages that
// Debian calls essential, and apt. Everything of the machine (names, mirrors, logs) is taken out again, so that two machines make the same.
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AptSources } from './apt-sources.ts';
import { run } from './exec.ts';
import { scrub } from './scrub.ts';

// The same paths that the registry's slim images leave out; dpkg keeps to them in later RUN lines too.
const left = ['doc/*', 'man/*', 'info/*', 'locale/*', 'lintian/*', 'linda/*', 'groff/*'].map(
  (path) => `path-exclude=/usr/share/${path}`,
);

export async function makeDebian(target: string, suite: string, sources: AptSources): Promise<void> {
  const options = [
    ...['--mode=root', '--variant=apt', '--format=directory'],
    // Otherwise usrmerge is installed, and with it all of perl.
    ...['--include=usr-is-merged', '--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr'],
    ...left.map((line) => `--dpkgopt=${line}`),
    ...sources.acquire
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => `--aptopt=${line}`),
    '--dpkgopt=force-unsafe-io',
    // The image is only ever a base for others: nobody needs to start services in it.
    '--customize-hook=printf "#!/bin/sh\\nexit 101\\n" > "$1/usr/sbin/policy-rc.d"; chmod 755 "$1/usr/sbin/policy-rc.d"',
  ];
  await run('mmdebstrap', ['--quiet', ...options, suite, target, ...sources.lines], {
    env: { PATH: hostPath, SOURCE_DATE_EPOCH: '0', LC_ALL: 'C.UTF-8' },
  });
  await rm(join(target, 'etc/apt/apt.conf.d/99mmdebstrap'), { force: true });
  await writeFile(join(target, 'etc/apt/apt.conf.d/90slim'), 'Acquire::Languages "none";\n');
  await writeFile(join(target, 'etc/dpkg/dpkg.cfg.d/99mmdebstrap'), `${left.join('\n')}\n`);
  await rm(join(target, 'etc/apt/sources.list'), { force: true });
  await writeFile(join(target, 'etc/apt/sources.list.d/debian.list'), publicSources(suite));
  // Places where a container runtime mounts its own, empty here.
  for (const name of ['hosts', 'resolv.conf', 'hostname', 'machine-id']) await writeFile(join(target, 'etc', name), '');
  for (const name of await readdir(join(target, 'dev'))) await rm(join(target, 'dev', name), { recursive: true });
  await scrub(target);
}

const hostPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

function publicSources(suite: string): string {
  const debian = 'http://deb.debian.org/debian';
  return [
    `deb ${debian} ${suite} main`,
    `deb ${debian} ${suite}-updates main`,
    `deb ${debian}-security ${suite}-security main`,
    '',
  ].join('\n');
}
