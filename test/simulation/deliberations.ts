// What holds for Deliberations at each write of a status: nothing that is pinned or recorded changes, what ends replays (G13), and no more agents
// deliberate on an endpoint than it takes.

import { canonicalJson, isSameJson } from '../../crds/canonical.ts';
import type { PlatformConfig } from '../../crds/contracts/platform.ts';
import { replayed } from '../../crds/deliberation/replay.ts';
import { mostOf } from '../../controllers/deliberation/line.ts';
import type { Deliberation } from '../../crds/kinds/deliberation.ts';
import type { SimObject } from './api-server.ts';
import { check, nameOf } from './broken.ts';

type Status = NonNullable<Deliberation['status']>;
type Contribution = NonNullable<Status['contributions']>[number];

const keyOf = ({ agent, kind, target, round }: Contribution): string => `${kind} ${round} ${agent} ${target}`;

/** What came late is added to what was given up, and to nothing else. */
const withoutLate = ({ late: _late, digest, tokens, durationMs, ...rest }: Contribution): unknown =>
  rest.outcome === 'TimedOut' ? rest : { ...rest, digest, tokens, durationMs };

const recordsChanged = (object: SimObject, before: Status, now: Status): void => {
  const known = new Map((now.contributions ?? []).map((each) => [keyOf(each), each]));
  for (const each of before.contributions ?? []) {
    const same = known.get(keyOf(each));
    check(
      same !== undefined && isSameJson(withoutLate(each), withoutLate(same)),
      'G13',
      () => `${nameOf(object)}: contribution ${keyOf(each)} was ${canonicalJson(each)} and is ${canonicalJson(same ?? null)}`,
    );
  }
};

/** Whoever works it out again from what is recorded comes to the same. */
const replays = (object: SimObject, deliberation: Pick<Deliberation, 'status' | 'spec'>): void => {
  const replay = replayed(deliberation);
  const differs = replay.kind === 'differs' ? replay.differences : [];
  check(replay.kind !== 'otherRules', 'G13', () => `${nameOf(object)} was made by other rules than those that decided it`);
  check(differs.length === 0, 'G13', () => `${nameOf(object)} does not replay: ${canonicalJson(differs)}`);
};

export interface DeliberationScene {
  readonly platform: PlatformConfig;
  readonly all: () => readonly Deliberation[];
  /** One process alone decides. */
  readonly isAlone: () => boolean;
}

const tooMany = (object: SimObject, { platform, all, isAlone }: DeliberationScene): void => {
  const endpoint = (object as unknown as Deliberation).status?.pinned?.seats[0]?.endpoint ?? '';
  const most = mostOf(platform, endpoint);
  if (most === undefined || !isAlone()) return;
  const running = all().filter(
    ({ status }) => status?.pinned?.seats[0]?.endpoint === endpoint && status.finishedAt === undefined,
  );
  const agents = running.reduce((sum, { status }) => sum + (status?.pinned?.seats.length ?? 0), 0);
  check(
    agents <= most || running.length === 1,
    'capacity',
    () => `${agents} agents deliberate on ${endpoint}, which takes ${most}`,
  );
};

/** `isWiped`: somebody took its status away before, so that it begins anew. */
export const deliberationWritten = (
  before: SimObject | undefined,
  after: SimObject,
  { isWiped, scene }: { readonly isWiped: boolean; readonly scene: DeliberationScene },
): void => {
  const old = (before as unknown as Deliberation | undefined)?.status;
  const now = after as unknown as Deliberation;
  if (now.status === undefined) return;
  const { pinned, contributions = [] } = now.status;
  check(pinned !== undefined || contributions.length === 0, 'G13', () => `${nameOf(after)} has contributions and no pins`);
  if (old !== undefined && !isWiped) {
    const isKept = old.pinned === undefined || isSameJson(old.pinned, pinned);
    check(isKept, 'G13', () => `${nameOf(after)}: what was pinned has changed`);
    recordsChanged(after, old, now.status);
  }
  if (old?.pinned === undefined && pinned !== undefined) tooMany(after, scene);
  replays(after, now);
};
