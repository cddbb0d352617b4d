// Puts the installation back to where a round may begin, whatever the round before left: every component runs, no fault is on, no process
// of ours has a crash on its record that would make its next restart wait.
import { rmSync } from 'node:fs';
import { ensureBox } from '../cluster/cluster.ts';
import { RELEASE_NAMESPACE } from '../environment/chart.ts';
import { scaled, withdrawRefusals } from './faults/api.ts';
import { fillerOf, isReady, wakeAll } from './faults/processes.ts';
import type { Rig } from './rig.ts';
import type { Pod } from './watched-pods.ts';

const restarted = ({ status }: Pod): boolean =>
  status?.containerStatuses?.some(({ restartCount = 0 }) => restartCount > 0) === true;

export const restore = async (rig: Rig, signal: AbortSignal): Promise<void> => {
  for (const port of rig.ports.values()) port.mend();
  rmSync(fillerOf(rig), { force: true });
  wakeAll(rig);
  await ensureBox({ name: rig.layout.name, log: () => undefined });
  await withdrawRefusals(rig.environment.kubectl);
  await scaled({ rig, signal }, 1);
  const names = rig.pods
    .pods()
    .filter(restarted)
    .map(({ metadata }) => metadata.name);
  if (names.length > 0) await rig.environment.kubectl('delete', 'pods', ...names, '--namespace', RELEASE_NAMESPACE);
  await rig.pods.until(
    (pods) => (pods.length === COMPONENTS && pods.every(isReady) && !pods.some(restarted) ? true : undefined),
    signal,
  );
};

/** Operator, gateway, agent pool and NATS, one pod each. */
const COMPONENTS = 4;
