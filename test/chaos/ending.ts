// What a round left behind, read from the cluster and the repositories as plain data, so that it can be kept and judged.
import { setTimeout as delay } from 'node:timers/promises';
import { LABEL_ATTEMPT, LABEL_TRY, LABEL_WORKSPACE } from '../../crds/labels.ts';
import type { Attempt } from '../../crds/kinds/task.ts';
import type { Condition } from '../../crds/kinds/meta.ts';
import type { Job, Pod } from '../../controllers/kubernetes.ts';
import { auditedWrites } from '../environment/audit.ts';
import type { Environment } from '../environment/environment.ts';
import { git } from '../environment/repository.ts';
import type { Pair, Walking } from './pair.ts';

export interface EndedTask {
  readonly id: string;
  readonly uid: string;
  readonly phase: string;
  readonly waitingFor?: string;
  readonly conditions: readonly string[];
  readonly commit?: string;
  readonly attempts: readonly Attempt[];
}

export interface EndedCommit {
  readonly id: string;
  readonly parents: readonly string[];
  readonly title: string;
  /** Empty where the trailer is missing. */
  readonly story: string;
  readonly task: string;
  readonly attempt: string;
  readonly evidence: string;
}

export interface EndedJob {
  readonly name: string;
  readonly uid: string;
  readonly ownerUid: string;
  readonly kind: string;
  readonly attempt: string;
  readonly courierTry: string;
  readonly isOver: boolean;
}

export interface EndedStory {
  readonly namespace: string;
  readonly uid: string;
  readonly phase: string;
  readonly summary: string;
  readonly conditions: readonly string[];
  readonly planPhases: readonly string[];
  readonly tasks: readonly EndedTask[];
  readonly jobs: readonly EndedJob[];
  readonly livePods: readonly string[];
  /** Names of the Jobs whose creation the API server answered with 201, in order. */
  readonly createdJobs: readonly string[];
  readonly refs: readonly string[];
  /** `main` is as it was before. */
  readonly mainKept: boolean;
  readonly base: string;
  /** From the base to the branch's head, oldest first. */
  readonly commits: readonly EndedCommit[];
  /** `path blob` of the branch's head. */
  readonly files: readonly string[];
}

export type Ending = readonly EndedStory[];

const isTrue = (conditions: readonly Condition[] | undefined): readonly string[] =>
  (conditions ?? []).filter(({ status }) => status === 'True').map(({ type, reason }) => `${type}: ${reason}`);

const SEPARATOR = '\u001f';
const trailer = (key: string): string => `%(trailers:key=Swefleet-${key},valueonly,separator=%x2C)`;
const FORMAT = ['%H', '%P', '%s', ...['Story', 'Task', 'Attempt', 'Evidence'].map(trailer)].join('%x1f');

const readCommits = async (bare: string, range: string): Promise<readonly EndedCommit[]> => {
  const text = await git(bare, 'log', '--reverse', '--topo-order', `--format=${FORMAT}`, range);
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line) => {
    const [id = '', parents = '', title = '', story = '', task = '', attempt = '', evidence = ''] = line.split(SEPARATOR);
    return { id, parents: parents.split(' '), title, story, task, attempt, evidence };
  });
};

type Repository = Pick<EndedStory, 'refs' | 'mainKept' | 'base' | 'commits' | 'files'>;

const readRepository = async ({ repository, branch }: Walking): Promise<Repository> => {
  const { bare, head } = repository;
  const refs = (await git(bare, 'for-each-ref', '--format=%(refname)')).trim().split('\n');
  const mainKept = (await git(bare, 'rev-parse', 'main')).trim() === head;
  if (!refs.includes(`refs/heads/${branch}`)) return { refs, mainKept, base: head, commits: [], files: [] };
  const tree = await git(bare, 'ls-tree', '-r', '--format=%(path) %(objectname)', branch);
  return { refs, mainKept, base: head, commits: await readCommits(bare, `${head}..${branch}`), files: tree.trim().split('\n') };
};

interface Workspaces {
  readonly jobs: readonly Job[];
  readonly pods: readonly Pod[];
}

const list = async <T>(environment: Environment, kind: string, namespace: string): Promise<readonly T[]> =>
  (await environment.kubectl.json<{ readonly items: readonly T[] }>('get', kind, '--namespace', namespace)).items;

const isOver = ({ status }: Job): boolean =>
  status?.conditions?.some((each) => ['Complete', 'Failed'].includes(each.type) && each.status === 'True') === true;
const isLive = ({ status }: Pod): boolean => status?.phase === 'Pending' || status?.phase === 'Running';

/** Until no workspace runs any more: a Job says that it is over some time after its last step has ended. */
const quietWorkspaces = async (environment: Environment, namespace: string, signal: AbortSignal): Promise<Workspaces> => {
  for (;;) {
    const [jobs, pods] = await Promise.all([
      list<Job>(environment, 'jobs', namespace),
      list<Pod>(environment, 'pods', namespace),
    ]);
    if (signal.aborted || (jobs.every(isOver) && !pods.some(isLive))) return { jobs, pods };
    await delay(500);
  }
};

const endedJob = (job: Job): EndedJob => ({
  name: job.metadata.name,
  uid: job.metadata.uid,
  ownerUid: job.metadata.ownerReferences?.[0]?.uid ?? '',
  kind: job.metadata.labels?.[LABEL_WORKSPACE] ?? '',
  attempt: job.metadata.labels?.[LABEL_ATTEMPT] ?? '',
  courierTry: job.metadata.labels?.[LABEL_TRY] ?? '',
  isOver: isOver(job),
});

const endedStory = async (
  environment: Environment,
  walking: Walking,
  since: number,
  signal: AbortSignal,
): Promise<EndedStory> => {
  const { namespace, follower } = walking;
  const { jobs, pods } = await quietWorkspaces(environment, namespace, signal);
  const { stories, plans, tasks } = follower.view();
  const created = auditedWrites(environment.cluster, since).filter(
    (write) => write.namespace === namespace && write.resource === 'jobs' && write.code === 201,
  );
  return {
    namespace,
    uid: stories[0]?.metadata.uid ?? '',
    phase: stories[0]?.status?.phase ?? 'none',
    summary: stories[0]?.status?.tasks?.summary ?? '',
    conditions: isTrue(stories[0]?.status?.conditions),
    planPhases: plans.map(({ status }) => status?.phase ?? 'none'),
    tasks: tasks.map(({ metadata, spec, status }) => ({
      id: spec.task.id,
      uid: metadata.uid,
      phase: status?.phase ?? 'none',
      ...(status?.waitingFor !== undefined && { waitingFor: status.waitingFor }),
      conditions: isTrue(status?.conditions),
      ...(status?.commit !== undefined && { commit: status.commit }),
      attempts: status?.attempts ?? [],
    })),
    jobs: jobs.map(endedJob),
    livePods: pods.filter(isLive).map(({ metadata }) => metadata.name),
    createdJobs: created.map(({ objectName }) => objectName),
    ...(await readRepository(walking)),
  };
};

/** @param since the place in the audit log at which the round began */
export const endingOf = async (environment: Environment, pair: Pair, since: number, signal: AbortSignal): Promise<Ending> =>
  Promise.all(pair.map((walking) => endedStory(environment, walking, since, signal)));
