// What lies outside of the cluster fails: git server and model are unreachable, slow or cut off, and somebody else pushes.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PortFault } from '../../environment/faulty-port.ts';
import { git } from '../../environment/repository.ts';
import { run } from '../../cluster/command.ts';
import type { Fault, Moment } from '../contract.ts';
import type { ServerName } from '../rig.ts';
import { headOf } from '../moments.ts';

const FELT_TIMES = 2;

export const portBroken = (server: ServerName, fault: PortFault, ...moments: readonly Moment[]): Fault => ({
  moments,
  strike: async ({ rig, signal }) => {
    const port = rig.ports.get(server);
    if (port === undefined) throw new Error(`nothing stands in front of the ${server} server`);
    port.break(fault);
    return {
      what: `the ${server} server: ${JSON.stringify(fault)}`,
      heal: () => port.felt(FELT_TIMES, signal).finally(() => port.mend()),
    };
  },
});

export const FOREIGN_FILE = 'SOMEBODY-ELSE.md';

/** A commit on top of the story branch, as by somebody who pushes there: the same file each time. */
const pushForeignCommit = async (bare: string, branch: string): Promise<string> => {
  const scratch = mkdtempSync(join(tmpdir(), 'swe-fleet-foreign-'));
  try {
    await git(scratch, 'clone', '--quiet', '--branch', branch, bare, 'clone');
    const clone = join(scratch, 'clone');
    await run(['sh', '-c', `date +%s%N >>${FOREIGN_FILE}`], { cwd: clone });
    await git(clone, 'add', '--all');
    await git(clone, 'commit', '--quiet', '--message', 'Somebody else was here');
    await git(clone, 'push', '--quiet', 'origin', branch);
    return (await git(clone, 'rev-parse', 'HEAD')).trim();
  } finally {
    rmSync(scratch, { recursive: true });
  }
};

export const branchMoved = (...moments: readonly Moment[]): Fault => ({
  moments,
  traces: { foreignFile: FOREIGN_FILE },
  fits: ({ walking, step }) => step !== undefined && walking !== undefined && headOf(walking) !== undefined,
  strike: async ({ reached }) => {
    const { walking } = reached;
    if (walking === undefined) throw new Error('no Story is known at this moment');
    const commit = await pushForeignCommit(walking.repository.bare, walking.branch);
    return { what: `somebody else pushed ${commit.slice(0, 10)} to ${walking.branch}`, heal: async () => undefined };
  },
});
