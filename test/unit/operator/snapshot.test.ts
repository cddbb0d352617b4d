// Whose Tasks a Story sees: those that its spec made and that still are its own.

import { describe, expect, it } from 'vitest';
import type { OwnerReference } from '../../../crds/kinds/meta.ts';
import type { Task } from '../../../crds/kinds/task.ts';
import { Caches } from '../../../operator/state/caches.ts';
import { makeSnapshot } from '../../../operator/state/snapshot.ts';
import { platform, task, work } from '../../builders/objects.ts';
import { FREE } from '../../builders/seen.ts';

const nothing = { get: () => undefined };

async function* neverEnding(): AsyncGenerator<never> {
  await new Promise(() => undefined);
}

/** What the Stories `uid-login` and `uid-other` see of that Task. */
const seenBy = (given: Task): Readonly<Record<string, number>> => {
  const caches = new Caches({
    ...{ client: { listPage: () => new Promise(() => undefined), watch: () => neverEnding() } },
    ...{
      platform: platform(),
      namespace: undefined,
      clock: { nowMs: () => 0, random: () => 0, after: () => () => undefined, yield: () => undefined },
    },
    ...{ onReport: () => undefined, onBug: () => undefined },
  });
  caches.cache('Task').upsert(given);
  const snapshot = makeSnapshot({
    ...{ caches, platform: platform(), nowMs: () => 0, storeAvailable: () => true, gatewayCa: () => undefined },
    places: () => ({ place: () => FREE }),
    lines: () => ({ line: () => ({ isNext: true }) }),
    ...{ answers: nothing, cursors: nothing, ledger: nothing, receipts: nothing, turns: nothing },
  });
  return { login: snapshot.tasksOf('uid-login').length, other: snapshot.tasksOf('uid-other').length };
};

const form = task(work('form'), { phase: 'Succeeded' });
const [own] = form.metadata.ownerReferences ?? [];
const ownedBy = (...ownerReferences: readonly (Partial<OwnerReference> | undefined)[]): Task => ({
  ...form,
  metadata: { ...form.metadata, ownerReferences: ownerReferences as readonly OwnerReference[] },
});
const other = { ...own, name: 'other', uid: 'uid-other' };

describe('the Tasks of a Story', () => {
  it.each([
    ['is its own', form, { login: 1, other: 0 }],
    ['was given to another Story', ownedBy(other), { login: 0, other: 0 }],
    ['has another Story as a second owner', ownedBy(own, { ...other, controller: false }), { login: 1, other: 0 }],
    ['has no owner', ownedBy(), { login: 0, other: 0 }],
    ['names the Story as an owner and not as its controller', ownedBy({ ...own, controller: false }), { login: 0, other: 0 }],
    ['is controlled by an object of another kind', ownedBy({ ...own, kind: 'Plan' }), { login: 0, other: 0 }],
  ])('one that %s', (_, given, want) => {
    expect(seenBy(given)).toEqual(want);
  });
});
