// The kubectl plugin as a person has it: the executable itself, run as a child process, on machines with another Node or none.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { VERSION } from '../../cli/version.ts';
import { attempt, type CommandEnd } from '../cluster/command.ts';
import { builtPlugin, PLUGIN_PATH as program } from '../cluster/plugin.ts';

const repository = resolve(import.meta.dirname, '..', '..');
const folder = mkdtempSync(join(tmpdir(), 'swe-fleet-plugin-'));

beforeAll(() => builtPlugin((line) => console.log(line)));
afterAll(() => rmSync(folder, { recursive: true }));

/** A machine with no more than that on its PATH. */
const on = (path: string, env: Readonly<Record<string, string>> = {}) => ({
  run: (...argv: [string, ...string[]]): Promise<CommandEnd> => attempt(argv, { env: { PATH: path, HOME: folder, ...env } }),
});
const nowhere = on(join(folder, 'nothing'));

/** A folder with a `node` that nobody can use. */
const otherNode = (): string => {
  const bin = join(folder, 'other-node');
  mkdirSync(bin);
  writeFileSync(join(bin, 'node'), '#!/bin/sh\necho "another Node was started" >&2\nexit 97\n', { mode: 0o755 });
  return bin;
};

describe('kubectl-fleet', () => {
  it('starts where there is no Node', async () => {
    const end = await nowhere.run(program, '--help');
    expect(end).toMatchObject({ status: 0, stderr: '' });
    expect(end.stdout).toMatch(/^Usage: kubectl fleet /);
  });

  it('starts where another Node is first on the PATH, and takes no options that are meant for it', async () => {
    const there = on(`${otherNode()}:/usr/bin:/bin`, { NODE_OPTIONS: '--an-option-of-another-node' });
    expect(await there.run('node', '--version')).toMatchObject({ status: 97 });
    expect(await there.run(program, '--version')).toEqual({ status: 0, stdout: `kubectl-fleet ${VERSION}\n`, stderr: '' });
  });

  it('ends with 1 and the next step where no cluster can be had, and with 2 where it was not understood', async () => {
    const failed = await nowhere.run(program, 'tree');
    expect(failed).toMatchObject({ status: 1, stdout: '' });
    expect(failed.stderr).toMatch(/^kubectl fleet: there is no kubeconfig\n[^\n]*--kubeconfig FILE[^\n]*\n$/);
    expect(await nowhere.run(program, 'tre')).toEqual({
      ...{ status: 2, stdout: '' },
      stderr: "kubectl fleet: unknown command 'tre'\n(Did you mean tree?)\nSee: kubectl fleet --help\n",
    });
  });

  it('speaks to an API server with all that it brings', async () => {
    const kubeconfig = join(folder, 'kubeconfig');
    const cluster = { name: 'c', cluster: { server: 'https://127.0.0.1:1', 'insecure-skip-tls-verify': true } };
    const context = { name: 'x', context: { cluster: 'c', user: 'u', namespace: 'shop' } };
    const users = [{ name: 'u', user: { token: 't' } }];
    writeFileSync(kubeconfig, JSON.stringify({ clusters: [cluster], contexts: [context], users, 'current-context': 'x' }));
    const end = await nowhere.run(program, 'logs', 'task', 't', '--kubeconfig', kubeconfig);
    expect(end).toMatchObject({ status: 1, stdout: '' });
    expect(end.stderr).toMatch(/^kubectl fleet: the API server cannot be reached: .*ECONNREFUSED/);
  });

  it('is completed by kubectl through the program beside it', async () => {
    const there = on(`${dirname(program)}:/usr/bin:/bin`);
    const end = await there.run('kubectl_complete-fleet', 'approve', 'story', 'cart', '--gate', '');
    expect(end).toEqual({ status: 0, stdout: 'scope\ntest\ndocs\n:4\n', stderr: '' });
  });

  it('is not built again when nothing changed', async () => {
    const before = statSync(program).mtimeMs;
    const said: string[] = [];
    await builtPlugin((line) => said.push(line));
    expect({ said, at: statSync(program).mtimeMs }).toEqual({ said: [], at: before });
  });
});

describe('the manifest for Krew', () => {
  it('names each archive of this version with its checksum, and no other', async () => {
    const release = mkdtempSync(join(folder, 'release-'));
    const archives = [`v${VERSION}_linux_amd64`, `v${VERSION}_darwin_arm64`, 'v0.0.0_linux_amd64'];
    archives.forEach((name, i) => {
      const file = `kubectl-fleet_${name}.tar.gz`;
      writeFileSync(join(release, file), name);
      writeFileSync(join(release, `${file}.sha256`), `${String(i).repeat(64)}  ${file}\n`);
    });
    const script = join(repository, 'scripts', 'release-plugin.ts');
    const made = await attempt([process.execPath, script, 'manifest', 'https://example.com/r/', release]);
    expect(made).toMatchObject({ status: 0, stderr: '' });
    expect(parse(readFileSync(join(release, 'fleet.yaml'), 'utf8'))).toMatchObject({
      metadata: { name: 'fleet' },
      spec: {
        version: `v${VERSION}`,
        platforms: [
          {
            selector: { matchLabels: { os: 'darwin', arch: 'arm64' } },
            uri: `https://example.com/r/kubectl-fleet_v${VERSION}_darwin_arm64.tar.gz`,
            sha256: '1'.repeat(64),
            bin: 'kubectl-fleet',
          },
          {
            selector: { matchLabels: { os: 'linux', arch: 'amd64' } },
            uri: `https://example.com/r/kubectl-fleet_v${VERSION}_linux_amd64.tar.gz`,
            sha256: '0'.repeat(64),
          },
        ],
      },
    });
  });
});
