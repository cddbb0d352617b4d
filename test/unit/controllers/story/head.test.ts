// The head of the story branch, by what each courier says that it put its commit upon.

import { describe, expect, it } from 'vitest';
import { headCommit } from '../../../../controllers/story/head.ts';
import type { Task } from '../../../../crds/kinds/task.ts';
import { at, attempt, COMMIT, story, storyStatus, task, work } from '../../../builders/objects.ts';
import { storySeen } from '../../../builders/seen.ts';

const id = (letter: string): string => letter.repeat(40);
/** A Task whose commit landed on another, some seconds after the beginning by the clock of its node. */
const landed = (letter: string, parent: string | undefined, seconds = 0, under?: string): Task =>
  task(work(letter), {
    phase: 'Succeeded',
    commit: id(letter),
    completedAt: at(seconds),
    attempts: [
      attempt(1, {
        commit: id(letter),
        ...(parent !== undefined && { parent }),
        ...(under !== undefined && { under }),
        finishedAt: at(seconds),
      }),
    ],
  });
const [a, b, d] = [id('a'), id('b'), id('d')];

const cases: readonly (readonly [string, readonly Task[], string | undefined, string | undefined])[] = [
  ['the base commit, while nothing landed yet', [], undefined, COMMIT],
  ['nothing is seen of what it was', [], a, a],
  ['the only commit', [landed('a', COMMIT)], undefined, a],
  ['the last of a chain, whatever the clocks say', [landed('d', b, 1), landed('a', COMMIT, 9), landed('b', a, 5)], undefined, d],
  ['the last of the chain, also while the status is behind', [landed('a', COMMIT), landed('b', a), landed('d', b)], a, d],
  ['what it was, when its Task was deleted', [landed('a', COMMIT, 9), landed('b', a, 9)], d, d],
  ['what was put upon it since, when its Task was deleted', [landed('a', COMMIT, 9), landed('d', b, 1)], b, d],
  ['the end of the chain above a Task that was deleted', [landed('a', COMMIT, 9), landed('d', b, 1)], d, d],
  ['what landed above a commit that somebody pushed', [landed('a', COMMIT, 9), landed('b', id('f'), 1)], a, b],
  ['what was found above a commit that had landed before, whose Task was deleted', [landed('a', COMMIT, 9, d)], d, d],
  ['the same, also before it was written', [landed('a', COMMIT, 9, b), landed('d', b, 1)], undefined, d],
  ['what is known by its own record rather', [landed('a', COMMIT, 9, b), landed('b', a, 1)], a, b],
  ['the latest, for records that name no parent', [landed('b', undefined, 9), landed('a', undefined, 1)], undefined, b],
  ['the latest of those, also where nothing had landed when it was last written', [landed('a', undefined, 1)], COMMIT, a],
  ['one of a chain that bites its tail', [landed('a', b), landed('b', a), landed('d', a)], undefined, d],
];

describe('the head of a story branch is', () => {
  it.each(cases)('%s', (_, tasks, before, want) => {
    const given = story({}, storyStatus(before === undefined ? {} : { headCommit: before }));
    for (const order of [tasks, tasks.toReversed()]) expect(headCommit(storySeen(given, { tasks: order }))).toBe(want);
  });
});
