// Three points of `npm run chaos`: two Stories of six tasks walk while the store is lost, somebody else pushes, and the operator is killed.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Point } from '../chaos/contract.ts';
import { normalForm } from '../chaos/judge.ts';
import { TASKS } from '../chaos/pair.ts';
import { rigOn, type Rig } from '../chaos/rig.ts';
import { runRound, tracesOf, type RoundSeen } from '../chaos/round.ts';
import { hasAuditLog } from '../environment/audit.ts';
import { connectEnvironment } from '../environment/environment.ts';
import { TEST_BOX } from '../environment/test-cluster.ts';

const POINTS: readonly Point[] = [
  { kind: 'NATS lost', moment: 'attempt work' },
  { kind: 'branch moved', moment: 'courier push' },
  { kind: 'operator killed', moment: 'courier push' },
];

describe.skipIf(!hasAuditLog)('two Stories that are disturbed', () => {
  let rig: Rig;
  let round: RoundSeen;
  beforeAll(async () => {
    rig = await rigOn(await connectEnvironment(TEST_BOX));
    round = await runRound({ rig, id: 'e2e', points: POINTS, say: (line) => console.log(line) });
  });
  afterAll(() => rig.close());

  it('were disturbed at every point', () => {
    expect(round.points.map(({ kind, moment, struck, what }) => ({ kind, moment, struck, what }))).toEqual(
      POINTS.map((point) => ({ ...point, struck: true, what: expect.any(String) as string })),
    );
  });

  it('keep every promise: no commit twice, no Job twice, attempts counted once, nothing left at work', () => {
    expect(round.problems).toEqual([]);
  });

  it('end as they would have without', () => {
    const commits = TASKS.map(({ id, title }) => `${id} ${title}`);
    for (const story of normalForm(round.ending, tracesOf(round.points))) {
      expect(story).toMatchObject({ phase: 'Done', summary: '6/6', commits });
      expect(story.files.filter((line) => line.startsWith('notes/'))).toHaveLength(TASKS.length);
      expect(story.tasks.map(({ phase }) => phase)).toEqual(TASKS.map(() => 'Succeeded'));
    }
  });
});
