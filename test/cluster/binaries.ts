/**
 * Builds the programs of a cluster from Go modules that `programs/` pins by checksum, into a cache outside the checkout.
 * What is there is not built again; two processes build once; a program appears whole or not at all.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { attempt } from './command.ts';
import { KUBERNETES_VERSION } from './layout.ts';
import { withLock } from './lock.ts';
import { timed, type Log } from './progress.ts';

export interface Program {
  readonly name: string;
  readonly package: string;
  /** What `go build` calls it, where that differs. */
  readonly built?: string;
}

export interface Module {
  readonly label: string;
  readonly directory: string;
  readonly linkerFlags: readonly string[];
  readonly programs: readonly Program[];
}

/** Programs that are built and kept together. */
export interface ProgramSet {
  /** What the directory of the programs is called before its digest. */
  readonly name: string;
  /** Folder with the modules' own files; a change of any of them is another directory. */
  readonly sources: string;
  readonly modules: readonly Module[];
}

const SOURCES = join(import.meta.dirname, 'programs');

/** Go looks at the module it stands in, and refuses one that is too new for it. */
export const NEWEST_MODULE = join(SOURCES, 'helm');
export const NO_GO = 'no Go 1.26 or newer on the PATH: install it from https://go.dev/dl';

/** It is stripped anyway; not making it saves a tenth of the build. */
const WITHOUT_DEBUG_INFORMATION = '-gcflags=all=-dwarf=false';

const kubernetes = (name: string): Program => ({ name, package: `k8s.io/kubernetes/cmd/${name}` });

const versionFlags = (): readonly string[] => {
  const [major = '', minor = ''] = KUBERNETES_VERSION.slice(1).split('.');
  const variables = { gitVersion: KUBERNETES_VERSION, gitMajor: major, gitMinor: minor, gitTreeState: 'clean' };
  return Object.entries(variables).map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`);
};

/** One module for all that can share it: what two programs have in common is compiled once. */
const MODULES: readonly Module[] = [
  {
    label: 'building Kubernetes, etcd, CoreDNS and NATS from source',
    directory: SOURCES,
    linkerFlags: versionFlags(),
    programs: [
      { name: 'pause', package: './pause' },
      { name: 'kubeconform', package: 'github.com/yannh/kubeconform/cmd/kubeconform' },
      { name: 'nats-server', package: 'github.com/nats-io/nats-server/v2' },
      { name: 'etcd', package: 'go.etcd.io/etcd/server/v3', built: 'server' },
      { name: 'coredns', package: './coredns' },
      kubernetes('kubectl'),
      kubernetes('kube-scheduler'),
      kubernetes('kube-proxy'),
      kubernetes('kubelet'),
      kubernetes('kube-controller-manager'),
      kubernetes('kube-apiserver'),
    ],
  },
  {
    label: 'building Helm from source',
    directory: NEWEST_MODULE,
    linkerFlags: ['-X helm.sh/helm/v4/internal/version.version=v4.3.1'],
    programs: [{ name: 'helm', package: 'helm.sh/helm/v4/cmd/helm' }],
  },
];

const CLUSTER_PROGRAMS: ProgramSet = { name: KUBERNETES_VERSION, sources: SOURCES, modules: MODULES };

export interface BinaryOptions {
  readonly cacheDir: string;
  readonly log: Log;
  /** Only these; all by default. */
  readonly only?: readonly string[];
  /** The cluster's by default. */
  readonly set?: ProgramSet;
}

const sourceFiles = (directory: string): readonly string[] =>
  readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();

/** The directory's name changes with every source, version and flag that goes into the programs. */
const versionKey = async ({ name, sources, modules }: ProgramSet): Promise<string> => {
  const go = await attempt(['go', 'version'], { cwd: NEWEST_MODULE });
  if (go.status !== 0) throw new Error(NO_GO);
  const hash = createHash('sha256').update(go.stdout);
  for (const file of sourceFiles(sources)) hash.update(file.slice(sources.length)).update(readFileSync(file));
  hash.update(JSON.stringify(modules.map(({ linkerFlags, programs }) => ({ linkerFlags, programs }))));
  return `${name}-${hash.digest('hex').slice(0, 12)}`;
};

const build = async (module: Module, programs: readonly Program[], binDir: string, log: Log): Promise<void> => {
  const draft = mkdtempSync(join(binDir, '.draft-'));
  try {
    await timed(log, module.label, async (detail) => {
      let compiled = 0;
      const argv = ['go', 'build', '-v', '-mod=readonly', '-trimpath', '-buildvcs=false'] as const;
      const flags = [WITHOUT_DEBUG_INFORMATION, '-ldflags', ['-s', '-w', ...module.linkerFlags].join(' '), '-o', `${draft}/`];
      const end = await attempt([...argv, ...flags, ...programs.map((program) => program.package)], {
        cwd: module.directory,
        env: { ...process.env, CGO_ENABLED: '0', GOWORK: 'off' },
        onErrorLine: (line) => {
          compiled += /^go: /.test(line) ? 0 : 1;
          detail(line.startsWith('go: downloading') ? line.slice(4) : `${compiled} packages compiled`);
        },
      });
      if (end.status !== 0) throw new Error(`${module.label} failed:\n${complaintsOf(end.stderr)}`);
    });
    for (const { name, built = name } of programs) renameSync(join(draft, built), join(binDir, name));
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
};

/** What a build that was killed left; the lock says that none is at work. */
const removeDrafts = (binDir: string): void => {
  for (const entry of readdirSync(binDir))
    if (entry.startsWith('.draft-')) rmSync(join(binDir, entry), { recursive: true, force: true });
};

/** The lines of `go build -v` that are no progress. */
const complaintsOf = (stderr: string): string => {
  const lines = stderr.split('\n').filter((line) => line.includes(' ') && !line.startsWith('go: downloading'));
  return lines.slice(-20).join('\n');
};

/** Returns the directory with the programs. @throws when one does not build, with the compiler's last lines */
export const ensureBinaries = async ({ cacheDir, log, only, set = CLUSTER_PROGRAMS }: BinaryOptions): Promise<string> => {
  const binDir = join(cacheDir, 'bin', await versionKey(set));
  const missingOf = (module: Module): readonly Program[] =>
    module.programs.filter(({ name }) => (only === undefined || only.includes(name)) && !existsSync(join(binDir, name)));
  if (set.modules.every((module) => missingOf(module).length === 0)) return binDir;
  mkdirSync(binDir, { recursive: true });
  const onWait = (): void => log('another process builds the programs: waiting for it …');
  await withLock(
    join(cacheDir, 'bin', '.lock'),
    async () => {
      removeDrafts(binDir);
      // together: one downloads or links while the other compiles
      const work = set.modules
        .map((module) => ({ module, missing: missingOf(module) }))
        .filter(({ missing }) => missing.length > 0);
      const ends = await Promise.allSettled(work.map(({ module, missing }) => build(module, missing, binDir, log)));
      for (const end of ends) if (end.status === 'rejected') throw end.reason;
    },
    onWait,
  );
  return binDir;
};
