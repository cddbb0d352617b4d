// Runs: what is listed and what is seen, read per attempt and candidate.

import { describe, expect, it } from 'vitest';
import { runJobs } from '../../../../controllers/task/job-identity.ts';
import { readRuns, type RunsRead } from '../../../../controllers/task/run-reading.ts';
import { currentAttempt, leadingRecord, runIn } from '../../../../controllers/task/runs.ts';
import { LABEL_CANDIDATE, LABEL_TRY } from '../../../../crds/labels.ts';
import type { Task } from '../../../../crds/kinds/task.ts';
import { at, attempt, DIGEST, NOW, platform, task, work } from '../../../builders/objects.ts';
import { job, over, pod, REPORT, workspaces } from '../../../builders/workspaces.ts';

const form = task(work('form'));
const listing = (...attempts: readonly ReturnType<typeof attempt>[]): Task => task(work('form'), { attempts: [...attempts] });
const read = (of: Task, seen: ReturnType<typeof workspaces>): RunsRead =>
  readRuns(
    { task: of, ...seen, platform: platform(), attemptUsage: undefined, crewOf: (n) => ({ agent: `agent-dev-00${n}` }) },
    NOW + 20_000,
  );
/** `<attempt>/<candidate> <stage>` of each run. */
const stages = ({ runs }: RunsRead): readonly string[] =>
  runs.map(({ n, candidate, stage }) => `${n}/${candidate} ${stage.kind}`);

const failedFirst = attempt(1, { finishedAt: at(), outcome: 'AgentFailed', reason: 'VerifyFailed' });
const first = job(form, { n: 2 });
const second = job(form, { n: 2, candidate: 2 });
const reported = [over(second, 'Complete'), pod(second, { report: { finding: REPORT } })] as const;

describe('two candidates of one attempt', () => {
  it('are two runs with records and stages of their own, seen before they are listed', () => {
    const found = read(listing(failedFirst), workspaces([first], reported));
    expect(stages(found)).toEqual(['1/1 ended', '2/1 working', '2/2 delivered']);
    expect(found.runs.map(({ record }) => [record?.jobUid, record?.patch])).toEqual([
      ['uid-attempt-1', undefined],
      ['uid-attempt-2', undefined],
      ['uid-attempt-2-candidate-2', DIGEST],
    ]);
    expect(found.strays).toEqual([]);
    expect(currentAttempt(found.runs)).toBe(2);
    expect(runIn(found.runs, 'delivered')?.run.candidate).toBe(2);
  });

  it('stay two runs when they are listed, also where one has ended', () => {
    const ended = [over(first, 'Failed'), pod(first, { work: { exitCode: 137, reason: 'OOMKilled' } })] as const;
    const found = read(
      listing(failedFirst, attempt(2), attempt(2, { candidate: 2, jobUid: second.metadata.uid })),
      workspaces(ended, reported),
    );
    expect(stages(found)).toEqual(['1/1 ended', '2/1 ended', '2/2 delivered']);
    expect(found.runs.map(({ newlyEnded }) => newlyEnded)).toEqual([false, true, false]);
  });

  it('each have their own courier', () => {
    const courier = job(form, { kind: 'courier', n: 2, candidate: 2 });
    const found = read(
      listing(failedFirst, attempt(2), attempt(2, { candidate: 2, jobUid: second.metadata.uid, patch: DIGEST })),
      workspaces([first], [courier]),
    );
    expect(stages(found)).toEqual(['1/1 ended', '2/1 working', '2/2 carrying']);
    expect(found.runs.at(-1)?.record).toMatchObject({ courierUid: courier.metadata.uid, courierTries: 1 });
    expect(found.runs.at(1)?.record?.courierUid).toBeUndefined();
  });

  it('of which one landed: the Task speaks of that one', () => {
    const courier = job(form, { kind: 'courier', n: 1, candidate: 1 });
    const landed = [over(courier, 'Complete'), pod(courier, { push: { finding: { commit: 'c'.repeat(40) } } })] as const;
    const other = job(form, { n: 1, candidate: 2 });
    const found = read(
      listing(attempt(1, { patch: DIGEST }), attempt(1, { candidate: 2, jobUid: other.metadata.uid })),
      workspaces([other], landed),
    );
    expect(stages(found)).toEqual(['1/1 integrated', '1/2 working']);
    expect(leadingRecord(found.runs)).toMatchObject({ candidate: 1, commit: 'c'.repeat(40) });
  });
});

describe('the labels of a Job', () => {
  const courier = job(form, { kind: 'courier', courierTry: 2 });
  const relabelled = (labels: Readonly<Record<string, string>>) => ({
    ...courier,
    metadata: { ...courier.metadata, labels: { ...courier.metadata.labels, ...labels } },
  });
  it.each([
    ['as they were made', courier, [2]],
    ['with another try than its name', relabelled({ [LABEL_TRY]: '3' }), []],
    ['with another candidate than its name', relabelled({ [LABEL_CANDIDATE]: '2' }), []],
    ['with a try that is no number', relabelled({ [LABEL_TRY]: 'x' }), []],
  ])('%s', (_, given, tries) => {
    expect(runJobs(form, [given]).map(({ courierTry }) => courierTry)).toEqual(tries);
  });
});

describe('a Job that somebody deletes and somebody else holds', () => {
  it('is what it was while its pod lives: nothing is started beside it, and it is no stray', () => {
    const courier = job(form, { kind: 'courier' }, { deletionTimestamp: at() });
    const carried = attempt(1, { patch: DIGEST, courierTries: 1, courierUid: courier.metadata.uid });
    const found = read(listing(carried), workspaces([courier]));
    expect(stages(found)).toEqual(['1/1 carrying']);
    const nobodys = job(form, { n: 7 }, { deletionTimestamp: at() });
    expect(read(listing(carried, attempt(8)), workspaces([nobodys])).strays).toEqual([]);
  });
});
