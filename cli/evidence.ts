// logs --evidence: what an attempt left behind, checked against the digest that the Task holds.

import { z } from 'zod';
import type { Attempt, Task } from '../crds/kinds/task.ts';
import { find, listAll, RESOURCES, type Cluster, type Objects } from './cluster.ts';
import type { LogsRequest } from './requests.ts';
import { openGateway } from './gateway-access.ts';
import type { Paint, Terminal } from './terminal.ts';
import { duration, harmless, indent, oneLine, plural } from './text.ts';
import { Failure } from './failure.ts';

/** As much of it as is shown; a newer runner may add fields. */
const evidence = z.object({
  task: z.object({ id: z.string(), title: z.string() }),
  attempt: z.number(),
  agent: z.string(),
  model: z.string(),
  base: z.string(),
  patch: z.string().optional(),
  summary: z.string(),
  iterations: z.number(),
  tokens: z.number(),
  commands: z.array(z.object({ command: z.string(), exitCode: z.number(), durationMs: z.number(), output: z.string() })),
});
type Evidence = z.infer<typeof evidence>;

export const evidenceText = (seen: Evidence, patch: string | undefined, paint: Paint): string => {
  const commands = seen.commands.flatMap(({ command, exitCode, durationMs, output }) => [
    `${exitCode === 0 ? paint('green', 'passed') : paint('red', `exit ${exitCode}`)}  ${oneLine(command)}  ${duration(durationMs)}`,
    ...(output.trim() === '' ? [] : [indent(harmless(output).trimEnd(), '    ')]),
  ]);
  return [
    paint('bold', `${seen.task.id}, attempt ${seen.attempt}: ${oneLine(seen.task.title)}`),
    `by ${oneLine(seen.agent)} with ${oneLine(seen.model)}, ${plural(seen.iterations, 'iteration')}, ${plural(seen.tokens, 'token')}, on ${seen.base}`,
    ...(seen.summary === '' ? [] : ['', indent(harmless(seen.summary).trimEnd(), '  ')]),
    '',
    ...(commands.length === 0 ? ['no command was run'] : commands),
    ...(patch === undefined ? [] : ['', harmless(patch).trimEnd()]),
    '',
  ].join('\n');
};

interface Wanted {
  readonly task: Task;
  readonly attempt: Attempt;
  readonly digest: string;
}

const wantedOf = (task: Task, number: number | undefined): readonly Wanted[] => {
  const having = (task.status?.attempts ?? []).flatMap((attempt) =>
    attempt.evidence === undefined ? [] : [{ task, attempt, digest: attempt.evidence }],
  );
  return number === undefined ? having.slice(-1) : having.filter(({ attempt }) => attempt.n === number);
};

const tasksOf = async (request: LogsRequest, cluster: Cluster): Promise<readonly Task[]> => {
  if (request.kind === 'task') return [await find(cluster, 'task', request.name)];
  const story = await find(cluster, 'story', request.name);
  const all = await listAll<Objects['task']>(cluster.client, RESOURCES.task, { namespace: cluster.namespace });
  return all.filter(({ spec }) => spec.storyRef.uid === story.metadata.uid);
};

const kept = (bytes: Buffer | undefined, digest: string): Buffer => {
  if (bytes === undefined) throw new Failure(`the gateway no longer has ${digest}`, 'Artifacts are kept for 30 days.');
  return bytes;
};

export const printEvidence = async (request: LogsRequest, cluster: Cluster, terminal: Terminal): Promise<void> => {
  const wanted = (await tasksOf(request, cluster)).flatMap((task) => wantedOf(task, request.attempt));
  if (wanted.length === 0)
    throw new Failure(
      `no attempt of ${request.kind} ${request.name} has left evidence${request.attempt === undefined ? ' yet' : ` under number ${request.attempt}`}`,
      `See: kubectl fleet tree`,
    );
  const gateway = await openGateway(cluster, request.gatewayNamespace);
  try {
    for (const { task, digest } of wanted) {
      const seen = evidence.parse(
        JSON.parse(kept(await gateway.artifact(task.spec.storyRef.uid, digest), digest).toString('utf8')),
      );
      const patch =
        seen.patch === undefined ? undefined : kept(await gateway.artifact(task.spec.storyRef.uid, seen.patch), seen.patch);
      terminal.write(evidenceText(seen, patch?.toString('utf8'), terminal.paint));
    }
  } finally {
    gateway.close();
  }
};
