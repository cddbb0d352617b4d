// Gathers what the decision about a Story is made from: the Story, its Plans and Tasks, and the answers to its questions.
// May: ask the snapshot. May not: judge.

import { resolveCommandId, storyAccount, type ResolveAnswer } from '../../crds/contracts/commands.ts';
import { scopeDigest } from '../../crds/digests.ts';
import type { Story } from '../../crds/kinds/story.ts';
import type { Snapshot } from '../snapshot.ts';
import type { StorySeen } from './seen.ts';

/** Questions of one scope; an answer that was given for another scope is never taken for this one's. */
const QUESTIONS = 10_000;

/** The id of the question for the base commit that is asked after `answers` answers. */
export const resolveIdOf = (story: Story, answers: number): string => {
  const scope = Number.parseInt(scopeDigest(story.spec).slice('sha256:'.length, 'sha256:'.length + 8), 16);
  return resolveCommandId(story.metadata.uid, scope * QUESTIONS + answers);
};

const answersFor = (story: Story, snapshot: Snapshot): readonly ResolveAnswer[] => {
  const answers: ResolveAnswer[] = [];
  if (story.status?.baseCommit !== undefined) return answers;
  while (answers.length < QUESTIONS) {
    const answer = snapshot.answer(resolveIdOf(story, answers.length));
    if (answer?.kind !== 'resolve') break;
    answers.push(answer);
  }
  return answers;
};

export const observeStory = (key: string, snapshot: Snapshot): StorySeen | undefined => {
  const story = snapshot.story(key);
  if (story === undefined) return undefined;
  const { uid } = story.metadata;
  return {
    story,
    plans: [...snapshot.plansOf(uid)].sort(
      (a, b) => a.spec.revision - b.spec.revision || (a.metadata.name < b.metadata.name ? -1 : 1),
    ),
    tasks: snapshot.tasksOf(uid),
    answers: answersFor(story, snapshot),
    usage: snapshot.usage(storyAccount(uid)),
    platform: snapshot.platform,
    storeAvailable: snapshot.storeAvailable,
    cursor: snapshot.eventCursor(uid),
  };
};
