// The first process of every container of a box, as the machine sees it: by its cgroup a process is known to belong to this box, this
// pod and this container, so that nothing else on the machine is ever touched.
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { JobKind } from '../../crds/contracts/steps.ts';

export interface PodProcess {
  readonly pid: number;
  readonly argv: readonly string[];
  readonly podUid: string;
  readonly containerId: string;
}

/** The runner of one step of a workspace. */
export interface StepProcess extends PodProcess {
  readonly kind: JobKind;
  /** What the runner is told on its command line. */
  readonly command: string;
  readonly taskUid: string;
  readonly attempt: number;
}

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // gone meanwhile
  }
};

const allNames = (): readonly string[] => readdirSync('/proc').filter((name) => /^\d+$/.test(name));

const readProcess = (pid: string, cgroup: string): PodProcess | undefined => {
  const place = new RegExp(`:/${cgroup}/kubepods/.*pod([0-9a-f-]{36})/([0-9a-f]{64})`).exec(read(`/proc/${pid}/cgroup`));
  if (place === null || !/^NSpid:.*\s1$/m.test(read(`/proc/${pid}/status`))) return undefined;
  const argv = read(`/proc/${pid}/cmdline`).split('\0').slice(0, -1);
  return { pid: Number(pid), argv, podUid: place[1] ?? '', containerId: place[2] ?? '' };
};

export const podProcesses = (cgroup: string): readonly PodProcess[] =>
  allNames().flatMap((name) => readProcess(name, cgroup) ?? []);

const asStep = (found: PodProcess): StepProcess | undefined => {
  const at = found.argv.findIndex((word) => word.endsWith('/agent-runner.mjs'));
  const command = found.argv[at + 1];
  if (at < 0 || command === undefined) return undefined;
  const environment = new Map(
    read(`/proc/${found.pid}/environ`)
      .split('\0')
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] as const),
  );
  const kind = environment.get('FLEET_KIND') === 'courier' ? 'courier' : 'attempt';
  return {
    ...found,
    kind,
    command,
    taskUid: environment.get('FLEET_OWNER_UID') ?? '',
    attempt: Number(environment.get('FLEET_ATTEMPT')),
  };
};

/** A container's process is its runtime's at first and becomes the program soon after: a young one is looked at again. */
const YOUNG_MS = 3_000;
const INTERVAL_MS = 10;

/**
 * Tells every step of a workspace of the box as it begins, until the signal aborts. The kernel announces no process to us, so that the
 * list is read again and again; only what is new in it is looked at.
 */
export const watchSteps = async (cgroup: string, onStep: (step: StepProcess) => void, signal: AbortSignal): Promise<void> => {
  const lookUntil = new Map<string, number>();
  while (!signal.aborted) {
    const names = allNames();
    const now = performance.now();
    for (const name of names) {
      if (!lookUntil.has(name)) lookUntil.set(name, now + YOUNG_MS);
      if ((lookUntil.get(name) ?? 0) < now) continue;
      const found = readProcess(name, cgroup);
      const step = found === undefined ? undefined : asStep(found);
      if (step === undefined) continue;
      lookUntil.set(name, 0);
      onStep(step);
    }
    const present = new Set(names);
    for (const name of [...lookUntil.keys()]) if (!present.has(name)) lookUntil.delete(name);
    await delay(INTERVAL_MS);
  }
};
