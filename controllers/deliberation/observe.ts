// Gathers what the decision about a Deliberation is made from: what it is about, who may take part, and what was answered.
// May: ask the snapshot. May not: judge.

import { namespaceAccount, storyAccount } from '../../crds/contracts/commands.ts';
import { READER_ACCOUNT } from '../../crds/contracts/steps.ts';
import { turnNumber } from '../../crds/contracts/turns.ts';
import { everyTurn } from '../../crds/deliberation/protocol.ts';
import type { Deliberation } from '../../crds/kinds/deliberation.ts';
import { controllerOf } from '../../crds/kinds/meta.ts';
import type { Story } from '../../crds/kinds/story.ts';
import type { Task } from '../../crds/kinds/task.ts';
import { councilFor, defaultCouncil } from '../../crds/rules/councils.ts';
import { READING_ROLE } from '../../crds/kinds/meta.ts';
import type { Snapshot } from '../snapshot.ts';
import type { DeliberationCore, DeliberationSeen } from './seen.ts';

interface Around {
  readonly story: Story | undefined;
  readonly task: Task | undefined;
  readonly isOfStory: boolean;
}

const named = (namespace: string, ref: { readonly name: string } | undefined): string => `${namespace}/${ref?.name ?? ''}`;

/** What decided it, else what its spec names: the first pays, the second is context alone. */
const aroundOf = ({ metadata, spec }: Deliberation, snapshot: Snapshot): Around => {
  const owner = controllerOf({ metadata });
  const { namespace } = metadata;
  const ownerTask = owner?.kind === 'Task' ? snapshot.task(named(namespace, owner)) : undefined;
  if (ownerTask !== undefined && ownerTask.metadata.uid === owner?.uid)
    return { task: ownerTask, story: snapshot.storyByUid(ownerTask.spec.storyRef.uid), isOfStory: true };
  const ownerStory = owner?.kind === 'Story' ? snapshot.storyByUid(owner.uid) : undefined;
  if (ownerStory !== undefined) return { task: undefined, story: ownerStory, isOfStory: true };
  return {
    task: snapshot.task(named(namespace, spec.taskRef)),
    story: snapshot.story(named(namespace, spec.storyRef)),
    isOfStory: false,
  };
};

const answersFor = ({ metadata, status }: Deliberation, snapshot: Snapshot): DeliberationSeen['answers'] => {
  const { pinned } = status ?? {};
  if (pinned === undefined) return [];
  return everyTurn(pinned)
    .map(turnNumber)
    .sort((a, b) => a - b)
    .flatMap((n) => {
      const answer = snapshot.turnAnswer(pinned.rootUid, metadata.uid, n);
      return answer === undefined ? [] : [[n, answer] as const];
    });
};

/** All but what others mean to it. */
export const observeCore = (key: string, snapshot: Snapshot): DeliberationCore | undefined => {
  const deliberation = snapshot.deliberation(key);
  if (deliberation === undefined) return undefined;
  const { namespace, uid } = deliberation.metadata;
  const around = aroundOf(deliberation, snapshot);
  const { story, isOfStory } = around;
  const councils = snapshot.councilsIn(namespace);
  const account =
    isOfStory && story !== undefined ? storyAccount(story.metadata.uid) : namespaceAccount(namespace, snapshot.today);
  return {
    deliberation,
    ...around,
    council: snapshot.council(named(namespace, deliberation.spec.councilRef)),
    architects: story === undefined ? defaultCouncil(READING_ROLE, councils) : councilFor(READING_ROLE, story, councils),
    answers: answersFor(deliberation, snapshot),
    readerAccount: snapshot.serviceAccount(`${namespace}/${READER_ACCOUNT}`),
    usage: snapshot.usage(account),
    platform: snapshot.platform,
    storeAvailable: snapshot.storeAvailable,
    cursor: snapshot.eventCursor(uid),
  };
};

export const observeDeliberation = (key: string, snapshot: Snapshot): DeliberationSeen | undefined => {
  const core = observeCore(key, snapshot);
  return core === undefined ? undefined : { ...core, line: snapshot.line(core) };
};
