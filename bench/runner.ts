// What the runner's loop costs between two answers of the model: taking the answer, running a tool, asking again. The steps are processes of the
// bundle, the door in front of the model is that of the workspace tests.

import { createServer, request as ask, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { openWorkspace } from '../test/contract/workspace/workspace.ts';
import { startScriptedModel } from '../test/model/server.ts';
import type { Script, ScriptedStep } from '../test/model/script.ts';
import type { Benchmark } from './benchmark.ts';
import { median, quantile } from './statistics.ts';

const ITERATIONS = 100;

const ROWS = {
  p50: 'runner per agent iteration beyond the model, p50',
  p99: 'runner per agent iteration beyond the model, p99',
} as const;

/** An agent reads and writes by turns, then hands in. */
const stepOf = (n: number): ScriptedStep => ({
  calls: [
    n % 2 === 0
      ? { tool: 'read_file', args: { path: 'src/index.js' } }
      : { tool: 'write_file', args: { path: `notes/${n}.md`, content: `Note ${n}\n` } },
  ],
});

const script: Script = {
  name: 'bench-loop',
  plays: [
    {
      steps: [
        ...Array.from({ length: ITERATIONS }, (_, n) => stepOf(n)),
        { calls: [{ tool: 'done', args: { summary: 'Notes were taken.' } }] },
      ],
    },
  ],
};

interface Stopwatch {
  readonly url: string;
  /** From the end of each answer to the next request. */
  readonly gapsMs: readonly number[];
  close(): Promise<void>;
}

/** Stands before the model and notes when it was asked, and when it had answered. */
const startStopwatch = async (model: string): Promise<Stopwatch> => {
  const gapsMs: number[] = [];
  let answeredAt: number | undefined;
  const server: Server = createServer((incoming, outgoing) => {
    if (answeredAt !== undefined) gapsMs.push(performance.now() - answeredAt);
    const target = new URL((incoming.url ?? '/').replace(/^\/v1/, ''), 'http://unused');
    const onward = ask(`${model}${target.pathname}`, { method: incoming.method, headers: incoming.headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(outgoing);
      outgoing.once('finish', () => (answeredAt = performance.now()));
    });
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    gapsMs,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

export const runner: Benchmark = {
  name: 'runner',
  what: `an agent of ${ITERATIONS} iterations`,
  rows: [
    { name: ROWS.p50, unit: 'ms', goal: '≤ 10' },
    { name: ROWS.p99, unit: 'ms' },
  ],
  run: async ({ tell, defer }) => {
    const model = await startScriptedModel({ scripts: [script] });
    defer(() => model.close());
    const stopwatch = await startStopwatch(model.url);
    defer(() => stopwatch.close());
    const given = { fixture: 'node-repo', script: script.name, verify: [], processes: true, model: stopwatch.url } as const;
    const workspace = await openWorkspace(given);
    defer(() => workspace.close());
    workspace.brief = { ...workspace.brief, limits: { ...workspace.brief.limits, iterations: ITERATIONS + 10 } };
    for (const step of ['checkout', 'setup', 'work'] as const) {
      const end = await workspace.step(step);
      if (end.exitCode !== 0) throw new Error(`${step} ended with ${end.exitCode}: ${end.said}`);
    }
    const note = `${stopwatch.gapsMs.length} iterations`;
    if (stopwatch.gapsMs.length < ITERATIONS) throw new Error(`the agent ended after ${note}`);
    tell(ROWS.p50, { value: median(stopwatch.gapsMs), note });
    tell(ROWS.p99, { value: quantile(stopwatch.gapsMs, 0.99), note });
  },
};
