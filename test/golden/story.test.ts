// Golden logs of whole Stories. UPDATE_GOLDEN=1 writes them anew; what changed is then to be read like any other change.

import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { scenarios } from '../simulation/scenarios.ts';
import { World } from '../simulation/world.ts';
import { storyLog } from './story-log.ts';

const logs: readonly (readonly [string, keyof typeof scenarios])[] = [
  ['a Story of three tasks, from its wording to its commits', 'happy'],
  ['verify fails, the second attempt succeeds', 'secondAttempt'],
  ['a Story is cancelled while its tasks are at work', 'cancelledStory'],
  ['the infrastructure fails until a person has to help', 'infrastructureDown'],
  ['a second revision of the plan takes over', 'superseded'],
  ['everything that can go wrong in a workspace, once', 'rough'],
  ['a quota keeps Jobs from being created until a person lifts it', 'overQuota'],
];

const kebab = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

describe('golden logs', () => {
  it.each(logs)('%s', async (_, name) => {
    const world = new World(scenarios[name]);
    await world.run();
    const file = new URL(`${kebab(name)}.golden.log`, import.meta.url);
    const log = storyLog(world);
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, log);
    expect(log).toBe(readFileSync(file, 'utf8'));
  });

  it('the happy Story itself costs at most thirteen writes: it does not follow every move of every task', async () => {
    const world = new World(scenarios.happy);
    await world.run();
    const writes = world.server.audit.filter(({ who, kind }) => who === 'operator' && kind === 'Story');
    expect(writes.length).toBeLessThanOrEqual(13);
  });

  it('a task of the happy Story costs at most five writes besides its Jobs', async () => {
    const world = new World(scenarios.happy);
    await world.run();
    for (const { metadata } of world.server.list('Task')) {
      const key = `${metadata.namespace}/${metadata.name}`;
      const writes = world.server.audit.filter(
        (record) => record.who === 'operator' && record.kind === 'Task' && record.key === key,
      );
      expect(writes.length).toBeLessThanOrEqual(5);
    }
  });
});
