/**
 * What stands in for the base images of our Dockerfiles where no registry is to be had, each built from a Dockerfile under bases/. A base's tag is the key of
 * all that goes into it: when the store has that tag, nothing needs to be built.
 */
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { run } from '../command.ts';
import { timed, type Log } from '../progress.ts';
import { readAptSources } from './apt-sources.ts';
import type { Builder, Recipe } from './builder.ts';
import { howDebianIsMade, makeDebian, SUITE } from './debian-base.ts';
import { keyOf } from './layout.ts';

export type BaseName = 'debian' | 'node' | 'nats';

export interface Base {
  /** With the key as its tag. */
  readonly name: string;
  /** The base below it. */
  readonly below?: Base;
  build(builder: Builder): Promise<void>;
}

export interface Workplace {
  /** The checkout. */
  readonly repository: string;
  /** Programs built from Go modules: nats-server. */
  readonly binDir: string;
  /** Where images are kept. */
  readonly home: string;
  readonly log: Log;
}

const NPM = {
  version: '11.21.2',
  integrity: 'sha512-7HPApk+AflMUavSseL1Pm6CnYqMIHk53x+KmuhqmTDqPkjPMgxIpTPcTqsE91EKNw4gFBJV9fnXiSdGm1DXq9A==',
};

const dockerfileOf = (name: BaseName): string => join(import.meta.dirname, 'bases', `${name}.Dockerfile`);

/** `rest` is what the key is made of beside the Dockerfile. */
const nameOf = (name: BaseName, ...rest: readonly string[]): string =>
  `swefleet.local/base/${name}:${keyOf(readFileSync(dockerfileOf(name), 'utf8'), process.arch, ...rest)}`;

export const baseImages = (place: Workplace): Readonly<Record<BaseName, Base>> => {
  const debian = debianBase(place);
  return { debian, node: nodeBase(place, debian), nats: natsBase(place) };
};

/** Builds a base, and before it the one below, where the store does not have it. */
export const ensureBase = async (builder: Builder, base: Base): Promise<void> => {
  if (await builder.has(base.name)) return;
  if (base.below !== undefined) await ensureBase(builder, base.below);
  await base.build(builder);
};

const debianBase = ({ home, log }: Workplace): Base => {
  const name = nameOf('debian', SUITE, howDebianIsMade);
  return {
    name,
    async build(builder) {
      const context = join(home, `debian-${randomUUID()}`);
      mkdirSync(context, { recursive: true });
      try {
        const tar = join(context, 'debian.tar');
        await timed(log, `making Debian ${SUITE} from this machine's package sources`, async () =>
          makeDebian(tar, await readAptSources(SUITE)),
        );
        await builder.build({ name, dockerfile: dockerfileOf('debian'), context });
      } finally {
        rmSync(context, { recursive: true, force: true });
      }
    },
  };
};

const nodeBase = (place: Workplace, below: Base): Base => {
  const installed = join(place.repository, 'node_modules/node');
  const { version } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as { readonly version: string };
  const name = nameOf('node', below.name, version, NPM.version);
  return {
    name,
    below,
    async build(builder) {
      const context = join(installed, 'bin');
      if (!existsSync(join(context, 'node'))) throw new Error(`${context}/node is not there; next: npm ci`);
      const recipe: Recipe = { name, dockerfile: dockerfileOf('node'), context, args: { DEBIAN_BASE: below.name } };
      await builder.build({ ...recipe, contexts: { node: context, npm: await npmPackage(place) } });
    },
  };
};

/** The directory of the programs is named after all that went into them. */
const natsBase = ({ binDir }: Workplace): Base => {
  const name = nameOf('nats', basename(binDir));
  return { name, build: (builder) => builder.build({ name, dockerfile: dockerfileOf('nats'), context: binDir }) };
};

/** The package as npm's own registry configuration finds it, checked against its pinned digest, unpacked once. */
const npmPackage = async ({ home, log }: Workplace): Promise<string> => {
  const unpacked = join(home, `npm-${NPM.version}`);
  if (existsSync(unpacked)) return unpacked;
  const draft = `${unpacked}-${randomUUID()}`;
  mkdirSync(draft, { recursive: true });
  try {
    await timed(log, `fetching npm ${NPM.version}`, () =>
      run(['npm', 'pack', '--silent', `npm@${NPM.version}`], { cwd: draft, env: process.env }),
    );
    const archive = join(draft, `npm-${NPM.version}.tgz`);
    const digest = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
    if (digest !== NPM.integrity)
      throw new Error(`npm ${NPM.version} has digest ${digest}, not ${NPM.integrity}; next: do not use this registry`);
    await run(['tar', '-xzf', archive, '--no-same-owner'], { cwd: draft });
    rmSync(archive);
    renameSync(draft, unpacked);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return unpacked;
};
