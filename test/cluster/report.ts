/**
 * Puts the state of boxes into words for a person at a terminal. It reads status files and changes nothing.
 */
import { runningBox } from './box.ts';
import { apiUrlOf } from './component-files.ts';
import { KUBERNETES_VERSION, boxLayout } from './layout.ts';
import { namespaceMembers } from './processes.ts';
import { seconds } from './progress.ts';
import { readState } from './state-file.ts';
import { deaths, describeDeath, type BoxStatus, type ComponentStatus } from './status.ts';

/** Marks words on a terminal and leaves them alone in a file. */
export interface Paint {
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
}

export const plain: Paint = { good: (text) => text, bad: (text) => text };
export const coloured: Paint = { good: (text) => `\u001b[32m${text}\u001b[0m`, bad: (text) => `\u001b[31m${text}\u001b[0m` };

export interface Report {
  readonly lines: readonly string[];
  /** Whether the box runs with all its components. */
  readonly healthy: boolean;
}

const age = (since: string): string => {
  const ms = Date.now() - Date.parse(since);
  return ms < 120_000 ? seconds(ms) : `${Math.round(ms / 60_000)} min`;
};

export const reportOf = (cacheDir: string, name: string, paint: Paint): Report => {
  const box = runningBox(cacheDir, name);
  const status = readState<BoxStatus>(boxLayout(cacheDir, name).status);
  if (box === undefined) {
    const ended = status === undefined ? '' : ' (it ended without being asked to; "up" starts it again with its kept state)';
    return { lines: [`box "${name}": ${paint.bad('not running')}${ended}`], healthy: false };
  }
  const pids = namespaceMembers(box.processes.first.pid);
  const line = (component: ComponentStatus): string =>
    component.death === undefined
      ? `  ${component.name.padEnd(24)} ${paint.good('running')}  process ${pids.get(component.pid) ?? '?'}, for ${age(component.startedAt)}`
      : `  ${paint.bad(describeDeath(component))}`;
  const components = status?.components ?? [];
  const healthy = status?.phase === 'ready' && deaths(status).length === 0;
  const phase = status?.phase ?? 'starting';
  const gpus = box.parameters.gpus === 0 ? '' : `, ${box.parameters.gpus} pretended GPUs`;
  return {
    lines: [
      `box "${name}": ${healthy ? paint.good(phase) : paint.bad(phase)}, Kubernetes ${KUBERNETES_VERSION} at ${apiUrlOf(box.address)}, for ${age(status?.bootedAt ?? '')}${gpus}`,
      `  machine as seen by pods ${box.address.hostIp}, first process ${box.processes.first.pid}, state ${box.layout.stateDir}`,
      ...(phase === 'ready' ? [] : [`  ${status?.message ?? ''}`]),
      ...components.map(line),
    ],
    healthy,
  };
};
