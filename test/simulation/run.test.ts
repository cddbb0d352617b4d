import { describe, expect, it } from 'vitest';
import { happy } from './scenarios.ts';
import { World } from './world.ts';

describe('try', () => {
  it('runs', async () => {
    const world = new World(happy);
    try { await world.run(); } finally {
    for (const { atMs, record } of world.passes) console.log(atMs % 1e7, record.kind, record.key, record.why, record.effects.join(' | '), record.problem?.error ?? '');
    }
    expect(world.repository.log.length).toBe(3);
  });
});
