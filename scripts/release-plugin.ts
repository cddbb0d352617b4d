// Packs the kubectl plugin for a release. Run on each platform, as the executable holds the Node of the machine that built it:
//   node scripts/with-setup.mjs scripts/release-plugin.ts archive                 dist/release/<name>.tar.gz and its .sha256
// and then once, where all archives lie in dist/release:
//   node scripts/with-setup.mjs scripts/release-plugin.ts manifest BASE_URL       dist/release/fleet.yaml, for Krew
// Both take another folder than dist/release as their last word.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { parseDocument } from 'yaml';
import { VERSION } from '../cli/version.ts';
import { buildPlugin } from '../images/plugin.ts';

const run = promisify(execFile);
const repository = resolve(import.meta.dirname, '..');

/** As Krew and Go name them. */
const OS_NAMES: Readonly<Record<string, string>> = { linux: 'linux', darwin: 'darwin', win32: 'windows' };
const ARCH_NAMES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

const known = (names: Readonly<Record<string, string>>, ours: string): string => {
  const name = names[ours];
  if (name === undefined) throw new Error(`there is no release for ${ours}`);
  return name;
};

const archive = async (folder: string): Promise<void> => {
  const program = await buildPlugin({ repository, log: (line) => console.log(line) });
  await mkdir(folder, { recursive: true });
  const name = `kubectl-fleet_v${VERSION}_${known(OS_NAMES, process.platform)}_${known(ARCH_NAMES, process.arch)}.tar.gz`;
  const path = join(folder, name);
  await run('tar', ['-czf', path, '-C', dirname(program), basename(program), '-C', repository, 'LICENSE', 'NOTICE']);
  const sha256 = createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
  await writeFile(`${path}.sha256`, `${sha256}  ${name}\n`);
  console.log(`${path}\nsha256 ${sha256}`);
};

interface Platform {
  readonly selector: { readonly matchLabels: { readonly os: string; readonly arch: string } };
  readonly uri: string;
  readonly sha256: string;
  readonly bin: string;
}

const platformOf = async (folder: string, name: string, baseUrl: string): Promise<Platform> => {
  const [, , os = '', arch = ''] = name.replace(/\.tar\.gz$/, '').split('_');
  const [sha256 = ''] = (await readFile(join(folder, `${name}.sha256`), 'utf8')).split(' ');
  return {
    selector: { matchLabels: { os, arch } },
    uri: `${baseUrl.replace(/\/+$/, '')}/${name}`,
    sha256,
    bin: os === 'windows' ? 'kubectl-fleet.exe' : 'kubectl-fleet',
  };
};

const manifest = async (folder: string, baseUrl: string): Promise<void> => {
  const names = (await readdir(folder)).filter(
    (name) => name.startsWith(`kubectl-fleet_v${VERSION}_`) && name.endsWith('.tar.gz'),
  );
  if (names.length === 0) throw new Error(`${folder} holds no archive of version ${VERSION}: run archive first`);
  const document = parseDocument(await readFile(join(repository, 'cli', 'krew', 'fleet.yaml'), 'utf8'));
  document.setIn(['spec', 'version'], `v${VERSION}`);
  document.setIn(['spec', 'homepage'], baseUrl.replace(/\/releases\/.*$/, ''));
  document.setIn(['spec', 'platforms'], await Promise.all(names.sort().map((name) => platformOf(folder, name, baseUrl))));
  document.commentBefore = null;
  const path = join(folder, 'fleet.yaml');
  await writeFile(path, document.toString());
  console.log(`${path}: ${names.join(', ')}`);
};

const [command, ...words] = process.argv.slice(2);
const [baseUrl, into] = command === 'manifest' ? words : [undefined, words[0]];
const folder = into === undefined ? join(repository, 'dist', 'release') : resolve(into);
if (command === 'archive') await archive(folder);
else if (command === 'manifest' && baseUrl !== undefined) await manifest(folder, baseUrl);
else throw new Error('usage: release-plugin.ts archive [FOLDER] | manifest BASE_URL [FOLDER]');
