// What a Story says it spent: with every attempt that ends, and never less than before.

import { describe, expect, it } from 'vitest';
import { decideStory } from '../../../../controllers/story/decide.ts';
import type { StoryStatus } from '../../../../crds/kinds/story.ts';
import { taskName } from '../../../../crds/names.ts';
import { approvedPlan, at, attempt, DIGEST, NOW, story, storyStatus, task, work } from '../../../builders/objects.ts';
import { storySeen } from '../../../builders/seen.ts';

const form = work('form');
const ended = attempt(1, { finishedAt: at(), outcome: 'AgentFailed', reason: 'VerifyFailed', tokens: 700, gpuSeconds: 30 });
const spent = (tokens: number, gpuSeconds = 0): NonNullable<StoryStatus['usage']> => ({ tokens, gpuSeconds });

interface Case {
  readonly title: string;
  readonly attempts: readonly ReturnType<typeof attempt>[];
  readonly before?: StoryStatus['usage'];
  readonly ledger?: number;
  readonly want: StoryStatus['usage'];
}

const cases: readonly Case[] = [
  { title: 'nothing while nothing has ended', attempts: [attempt(1, { tokens: 700 })], want: undefined },
  { title: 'what an attempt that failed has cost', attempts: [ended], want: spent(700, 30) },
  { title: 'what all of them have cost', attempts: [ended, { ...ended, n: 2, tokens: 50 }], want: spent(750, 60) },
  { title: 'never less than before', attempts: [ended], before: spent(5000, 10), want: spent(5000, 30) },
  {
    title: 'not what the ledger says from call to call, which would be a write each',
    attempts: [ended],
    ledger: 900,
    want: spent(700, 30),
  },
];

describe('the usage in the status of a Story at work', () => {
  it.each(cases)('is $title', ({ attempts, before, ledger, want }) => {
    const given = story({}, storyStatus({ phase: 'Build', ...(before !== undefined && { usage: before }) }));
    const made = task(form, { phase: 'Queued', attempts: [...attempts] });
    const tasks = [{ ...made, metadata: { ...made.metadata, name: taskName(given.metadata, DIGEST, 'form') } }];
    const usage = ledger === undefined ? undefined : { spent: ledger, reserved: 0 };
    const { status } = decideStory(storySeen(given, { plans: [approvedPlan([form])], tasks, usage }), NOW);
    expect(status?.usage).toEqual(want);
  });
});
