// The base images that Dockerfiles may name, and what stands in for each where no registry is to be had. Another base is refused with a next step.
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { createHash, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { run } from './exec.ts';

export interface Workplace {
  /** The checkout. */
  readonly repository: string;
  /** Programs built from Go modules: nats-server. */
  readonly binDir: string;
  readonly cacheDir: string;
  readonly log: (line: string) => void;
}

/** Either a Debian suite made by mmdebstrap, or a Dockerfile of ours with the directories its COPY --from= may name. */
export type BaseImage =
  | { readonly kind: 'debian'; readonly suite: string }
  | {
      readonly kind: 'dockerfile';
      readonly path: string;
      readonly contexts: (place: Workplace) => Promise<ReadonlyMap<string, string>>;
    };

const npm = {
  version: '11.21.2',
  integrity: 'sha512-7HPApk+AflMUavSseL1Pm6CnYqMIHk53x+KmuhqmTDqPkjPMgxIpTPcTqsE91EKNw4gFBJV9fnXiSdGm1DXq9A==',
};

const bases: ReadonlyMap<string, BaseImage> = new Map<string, BaseImage>([
  ['debian:bookworm-slim', { kind: 'debian', suite: 'bookworm' }],
  [
    'node:24-bookworm-slim',
    { kind: 'dockerfile', path: 'test/cluster/images/bases/node-24-bookworm-slim.Dockerfile', contexts: nodeContexts },
  ],
  [
    'nats:2.12.15-scratch',
    { kind: 'dockerfile', path: 'test/cluster/images/bases/nats-scratch.Dockerfile', contexts: natsContexts },
  ],
]);

/** `undefined` when the name is not in the table. */
export function baseImage(name: string): BaseImage | undefined {
  return bases.get(name);
}

export function baseImageNames(): readonly string[] {
  return [...bases.keys()];
}

async function nodeContexts(place: Workplace): Promise<ReadonlyMap<string, string>> {
  const bin = join(place.repository, 'node_modules/node/bin');
  await demandVersion(join(bin, 'node'), /^v24\./, 'node 24 (npm ci installs it)');
  return new Map([
    ['node', bin],
    ['npm', await npmPackage(place)],
  ]);
}

async function natsContexts(place: Workplace): Promise<ReadonlyMap<string, string>> {
  await demandVersion(join(place.binDir, 'nats-server'), /\bv2\.12\.15\b/, 'nats-server 2.12.15 (npm run cluster builds it)');
  return new Map([['bin', place.binDir]]);
}

async function demandVersion(program: string, pattern: RegExp, wanted: string): Promise<void> {
  const printed = await run(program, ['--version']).catch((cause: unknown) => {
    throw new Error(`${program} does not run; next: have ${wanted} there`, { cause });
  });
  if (!pattern.test(printed)) throw new Error(`${program} is ${printed.trim()}; next: have ${wanted} there`);
}

/** The npm package of the registry, checked against its pinned digest, unpacked once. */
async function npmPackage({ cacheDir, log }: Workplace): Promise<string> {
  const home = join(cacheDir, 'images', `npm-${npm.version}`);
  if ((await readFile(join(home, 'package/package.json')).catch(() => undefined)) !== undefined) return home;
  log(`fetching npm ${npm.version}`);
  const draft = `${home}-${randomUUID()}`;
  await mkdir(draft, { recursive: true });
  try {
    await run('npm', ['pack', '--silent', `npm@${npm.version}`], { cwd: draft });
    const archive = join(draft, `npm-${npm.version}.tgz`);
    const digest = `sha512-${createHash('sha512')
      .update(await readFile(archive))
      .digest('base64')}`;
    if (digest !== npm.integrity)
      throw new Error(`npm ${npm.version} has digest ${digest}, not ${npm.integrity}; next: do not use this registry`);
    await run('tar', ['-xzf', archive, '--no-same-owner'], { cwd: draft });
    await rm(archive);
    await rename(draft, home).catch(() => undefined);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return home;
}
