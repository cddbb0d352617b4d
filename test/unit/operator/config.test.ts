import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../operator/config.ts';
import { ConfigInvalid } from '../../../runtime/config.ts';
import { makeLog } from '../../../runtime/log.ts';
import { platform } from '../../builders/objects.ts';

const withFile = <T>(content: string, use: (path: string) => T): T => {
  const folder = mkdtempSync(join(tmpdir(), 'swe-fleet-config-'));
  const path = join(folder, 'platform.json');
  writeFileSync(path, content);
  try {
    return use(path);
  } finally {
    rmSync(folder, { recursive: true });
  }
};

const given = (path: string, more: Readonly<Record<string, string>> = {}) => ({
  ...{ POD_NAME: 'operator-0', POD_NAMESPACE: 'fleet', FLEET_RELEASE: 'swe-fleet', FLEET_PLATFORM_FILE: path },
  ...more,
});

const issuesOf = (env: Readonly<Record<string, string | undefined>>): readonly string[] => {
  try {
    loadConfig(env);
  } catch (error) {
    if (error instanceof ConfigInvalid) return error.issues;
    throw error;
  }
  return [];
};

describe('the configuration', () => {
  it('is read whole and frozen, with presets for what is not said', () =>
    withFile(JSON.stringify(platform()), (path) => {
      const config = loadConfig(given(path, { FLEET_WORKERS: '3' }), 36);
      expect(config).toMatchObject({
        ...{ identity: 'operator-0_10', namespace: 'fleet', workers: 3, healthPort: 8081, logLevel: 'info' },
        lease: { name: 'swe-fleet-operator', durationMs: 15_000 },
        platform: { capacity: { perStory: 4 } },
      });
      expect([Object.isFrozen(config), Object.isFrozen(config.platform.capacity)]).toEqual([true, true]);
    }));

  it('names two lives of one pod alike, and two starts outside a pod differently', () =>
    withFile(JSON.stringify(platform()), (path) => {
      const inPod = given(path, { POD_UID: 'b2c1' });
      expect([loadConfig(inPod, 1).identity, loadConfig(inPod, 2).identity]).toEqual(['operator-0_b2c1', 'operator-0_b2c1']);
      expect(loadConfig(given(path), 1).identity).not.toBe(loadConfig(given(path), 2).identity);
    }));

  it('never prints a password', () =>
    withFile(JSON.stringify(platform()), (path) => {
      const config = loadConfig(given(path, { FLEET_NATS_USER: 'operator', FLEET_NATS_PASSWORD: 'hunter2' }));
      expect(config.nats.password).toBe('hunter2');
      const lines: string[] = [];
      const write = (line: string) => void lines.push(line);
      makeLog({ process: 'operator', level: 'info', human: false, write, nowMs: () => 0 }).info('starting', { config });
      expect(lines.join()).toContain('"user":"operator"');
      expect(lines.join()).not.toContain('hunter2');
    }));

  it('tells everything that is wrong at once, in the environment and in the file', () =>
    withFile(JSON.stringify({ ...platform(), capacity: { ...platform().capacity, perStory: 0 }, colour: 'red' }), (path) => {
      const issues = issuesOf({
        FLEET_PLATFORM_FILE: path,
        POD_NAMESPACE: 'fleet',
        FLEET_WORKERS: 'many',
        FLEET_LOG_LEVEL: 'loud',
      });
      expect(issues.map((issue) => issue.replace(`${path}: `, '').split(':')[0])).toEqual([
        ...['FLEET_RELEASE', 'FLEET_WORKERS', 'FLEET_LOG_LEVEL'],
        ...['capacity.perStory', ''],
      ]);
      expect(issues.at(-1)).toContain('colour');
    }));

  const files: readonly (readonly [string, string])[] = [
    ['a file that is cut', '{"upstreams": ['],
    ['a file that is empty', ''],
    ['a file that is a list', '[]'],
  ];
  for (const [name, content] of files)
    it(`refuses ${name}, and says which file`, () =>
      withFile(content, (path) => {
        expect(issuesOf(given(path)).join()).toContain(path);
      }));

  it('refuses a file that is not there', () => {
    expect(issuesOf(given('/nowhere/platform.json'))).toEqual([expect.stringContaining('ENOENT')]);
  });
});
