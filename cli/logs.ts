// logs: what the steps of workspace pods printed, in the order of the steps, by kubectl logs; once or until the end.

import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { LABEL_STORY, LABEL_TASK } from '../crds/labels.ts';
import { labelValue } from '../crds/names.ts';
import { isFinished } from '../crds/rules/phases.ts';
import { pods as podResource } from '../kube/resources.ts';
import { find, RESOURCES, type Cluster, type Objects } from './cluster.ts';
import type { LogsRequest } from './requests.ts';
import type { Colour, Terminal } from './terminal.ts';
import { harmless } from './text.ts';
import { Failure } from './failure.ts';
import { Changes, follow } from './views.ts';
import { attemptOf, hasEnded, inOrder, prefixOf, stateOf, stepsOf, type WorkspacePod } from './workspace-pods.ts';

type Where = Pick<Cluster, 'client' | 'namespace' | 'kubectl'>;
type Print = (line: string) => void;

const STEP_COLOURS: Readonly<Record<string, Colour>> = { work: 'cyan', verify: 'green', push: 'yellow', report: 'yellow' };

const eachLine = async (stream: Readable, print: Print): Promise<void> => {
  for await (const line of createInterface({ input: stream, crlfDelay: Infinity })) print(line);
};

/** Prints one container's log through kubectl; follows it while it runs. */
const printStep = async (where: Where, pod: WorkspacePod, step: string, print: Print): Promise<void> => {
  const { namespace, name } = { namespace: where.namespace, name: pod.metadata.name };
  const follows = stateOf(pod, step) === 'running' ? ['--follow'] : [];
  const child = where.kubectl(['logs', name, '--namespace', namespace, '--container', step, ...follows]);
  const complaints: string[] = [];
  const ended = once(child, 'close') as Promise<[number | null]>;
  const printed = Promise.all([eachLine(child.stdout, print), eachLine(child.stderr, (line) => void complaints.push(line))]);
  const [code] = await ended.catch((cause: unknown) => {
    throw new Failure(
      `kubectl cannot be started: ${cause instanceof Error ? cause.message : String(cause)}`,
      'Is it on the PATH?',
    );
  });
  await printed;
  if (code !== 0) print(`(no log: ${complaints.join(' ')})`);
};

interface Reader {
  readonly request: LogsRequest;
  readonly where: Where;
  readonly terminal: Terminal;
}

const printerFor = ({ request, terminal }: Reader, pod: WorkspacePod, step: string): Print => {
  const prefix = terminal.paint(STEP_COLOURS[step] ?? 'gray', `${prefixOf(pod, step, request.kind === 'story')} |`);
  return (line) => terminal.write(`${prefix} ${harmless(line)}\n`);
};

const wantedSteps = ({ request }: Reader, pod: WorkspacePod): readonly string[] =>
  stepsOf(pod).filter((step) => request.step === undefined || step === request.step);

const wantedPods = ({ request }: Reader, pods: readonly WorkspacePod[]): readonly WorkspacePod[] =>
  inOrder(pods).filter((pod) => request.attempt === undefined || attemptOf(pod) === request.attempt);

const selectorOf = ({ request }: Reader): string =>
  `${request.kind === 'story' ? LABEL_STORY : LABEL_TASK}=${labelValue(request.name)}`;

const printAll = async (reader: Reader, pods: readonly WorkspacePod[]): Promise<void> => {
  const wanted = wantedPods(reader, pods);
  if (wanted.length === 0) {
    const what = reader.request.attempt === undefined ? 'any attempt' : `attempt ${reader.request.attempt}`;
    throw new Failure(
      `there is no pod of ${what} of ${reader.request.kind} ${reader.request.name}`,
      'Pods are kept for a day. What happened: kubectl fleet tree; what an attempt left: --evidence',
    );
  }
  const steps = new Set(wanted.flatMap(stepsOf));
  if (reader.request.step !== undefined && !steps.has(reader.request.step))
    throw new Failure(`no workspace has a step "${reader.request.step}"`, `There is: ${[...steps].join(', ')}`);
  for (const pod of wanted)
    for (const step of wantedSteps(reader, pod))
      if (stateOf(pod, step) !== 'absent') await printStep(reader.where, pod, step, printerFor(reader, pod, step));
};

interface Watched {
  readonly changes: Changes;
  readonly pod: (name: string) => WorkspacePod | undefined;
}

/** Prints the pod's steps as they come, until it ends or is gone. */
const followPod = async (reader: Reader, name: string, { changes, pod: look }: Watched): Promise<void> => {
  const printed = new Set<string>();
  for (;;) {
    const next = changes.next();
    const pod = look(name);
    if (pod === undefined) return;
    const step = wantedSteps(reader, pod).find((each) => !printed.has(each) && stateOf(pod, each) !== 'absent');
    if (step !== undefined) {
      await printStep(reader.where, pod, step, printerFor(reader, pod, step));
      printed.add(step);
    } else if (hasEnded(pod)) return;
    else await next;
  }
};

const followAll = async (reader: Reader, signal: AbortSignal): Promise<void> => {
  const { request, where } = reader;
  const changes = new Changes();
  const pods = follow<WorkspacePod>(where, podResource, { labelSelector: selectorOf(reader), changes, signal });
  const owners = follow<Objects['story' | 'task']>(where, RESOURCES[request.kind], {
    fieldSelector: `metadata.name=${request.name}`,
    changes,
    signal,
  });
  await Promise.all([pods.ready, owners.ready]);
  const pod = (name: string): WorkspacePod | undefined => pods.values().find(({ metadata }) => metadata.name === name);
  const followed = new Map<string, Promise<void>>();
  for (;;) {
    const next = changes.next();
    for (const { metadata } of wantedPods(reader, pods.values()))
      if (!followed.has(metadata.name)) followed.set(metadata.name, followPod(reader, metadata.name, { changes, pod }));
    if (owners.values().every(isFinished)) break;
    // a pod that cannot be read ends the following, as one whose end nobody awaits would
    await Promise.race([next, ...[...followed.values()].map((one) => one.then(() => next))]);
  }
  await Promise.all(followed.values());
};

export const printLogs = async (request: LogsRequest, where: Where, terminal: Terminal): Promise<void> => {
  const reader: Reader = { request, where, terminal };
  const owner = await find(where, request.kind, request.name);
  const end = new AbortController();
  try {
    if (request.follow && !isFinished(owner)) return await followAll(reader, end.signal);
    const page = await where.client.listPage(podResource, {
      namespace: where.namespace,
      labelSelector: selectorOf(reader),
      limit: 500,
    });
    await printAll(reader, page.items as readonly WorkspacePod[]);
  } finally {
    end.abort();
  }
};
