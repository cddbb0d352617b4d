/**
 * Makes the root file system that stands in for the registry's slim Debian, with mmdebstrap: the packages that Debian calls essential, and apt. It carries no
 * package source and no setting of this machine: RUN lines see those by a mount (see apt-sources.ts).
 */
import { readFileSync } from 'node:fs';
import { run } from '../command.ts';
import type { AptSources } from './apt-sources.ts';

export const SUITE = 'bookworm';

/** Changes when the way of making it does. */
export const howDebianIsMade = readFileSync(import.meta.filename, 'utf8');

/** The same paths that the registry's slim images leave out; dpkg keeps to them in later RUN lines too. */
const LEFT_OUT = ['doc/*', 'man/*', 'info/*', 'locale/*', 'lintian/*', 'linda/*', 'groff/*'];

/** Of the machine: its names, its package sources, its apt settings. */
const OF_THE_MACHINE = [
  ...['etc/hostname', 'etc/resolv.conf', 'etc/machine-id'],
  ...['etc/apt/sources.list', 'etc/apt/apt.conf.d/99mmdebstrap', 'var/log/*.log', 'var/log/apt/*', 'var/cache/apt/*.bin'],
];

export const makeDebian = async (tar: string, { lines, acquire }: AptSources): Promise<void> => {
  const aptOptions = acquire.split('\n').filter((line) => line !== '');
  const options = [
    ...['--mode=root', '--variant=apt', '--format=tar'],
    // Otherwise usrmerge is installed, and with it all of perl.
    ...['--include=usr-is-merged', '--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr'],
    ...LEFT_OUT.map((path) => `--dpkgopt=path-exclude=/usr/share/${path}`),
    ...aptOptions.map((line) => `--aptopt=${line}`),
    '--dpkgopt=force-unsafe-io',
    // The image is only ever a base for others: nobody needs to start services in it.
    '--customize-hook=printf "#!/bin/sh\\nexit 101\\n" > "$1/usr/sbin/policy-rc.d"; chmod 755 "$1/usr/sbin/policy-rc.d"',
    `--customize-hook=cd "$1" && rm -f ${OF_THE_MACHINE.join(' ')}`,
  ];
  await run(['mmdebstrap', '--quiet', ...options, SUITE, tar, ...lines], {
    env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', SOURCE_DATE_EPOCH: '0', LC_ALL: 'C.UTF-8' },
  });
};
