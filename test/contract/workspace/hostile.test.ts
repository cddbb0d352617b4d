// What code that a step runs leaves in the volumes it shares with its step: whatever it forges, breaks or puts in the way counts against the
// agent, and never stalls the Task or counts as the infrastructure's. What it may do to the step's process is tested on the kubelet.
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Brief } from '../../../crds/contracts/brief.ts';
import { parseFinding } from '../../../crds/contracts/findings.ts';
import type { RunnerCommand } from '../../../crds/contracts/steps.ts';
import { branch, courierBrief, openWorkspace, storyUid, type Workspace } from './workspace.ts';

const forged = (step: string, reason: string): string => JSON.stringify({ step, outcome: 'failed', reason, message: 'forged' });
const records = (count: number): string =>
  JSON.stringify(Array.from({ length: count }, () => ({ command: 'x', exitCode: 0, durationMs: 1, output: '' })));

interface Case {
  readonly title: string;
  /** Done after `verify` ended, as by a process of it that outlived its result. */
  readonly meddle: (file: (path: string) => string) => Promise<unknown>;
  readonly want: object;
}

const brokenStep = { outcome: 'failed', reason: 'StepBroken' } as const;

const cases: readonly Case[] = [
  {
    title: 'a network that is said to be open by the tests',
    meddle: (file) => writeFile(file('fleet/out/verify/finding.json'), forged('verify', 'NetworkNotContained')),
    want: brokenStep,
  },
  {
    title: 'a network that is said to be open by the patched setup',
    meddle: (file) => writeFile(file('fleet/fresh/finding.json'), forged('verify-setup', 'NetworkNotContained')),
    want: brokenStep,
  },
  {
    title: 'a fault of the infrastructure that is claimed by the tests',
    meddle: (file) => writeFile(file('fleet/out/verify/finding.json'), forged('verify', 'StepFailed')),
    want: brokenStep,
  },
  {
    title: 'a finding that is no more',
    meddle: (file) => rm(file('fleet/out/verify/finding.json')),
    want: brokenStep,
  },
  {
    title: 'a finding that is a folder',
    meddle: async (file) => {
      await rm(file('fleet/out/verify/finding.json'));
      await mkdir(file('fleet/out/verify/finding.json'));
    },
    want: brokenStep,
  },
  {
    title: 'more records than there are commands',
    meddle: (file) => writeFile(file('fleet/out/verify/commands.json'), records(65)),
    want: brokenStep,
  },
  {
    title: 'records that are a link',
    meddle: async (file) => {
      await rm(file('fleet/out/verify/commands.json'));
      await symlink('/etc/hostname', file('fleet/out/verify/commands.json'));
    },
    want: brokenStep,
  },
  {
    title: 'a patch that is a link',
    meddle: async (file) => {
      await rm(file('fleet/out/work/patch'));
      await symlink('/etc/hostname', file('fleet/out/work/patch'));
    },
    want: { outcome: 'failed', reason: 'PatchInvalid' },
  },
];

describe('an attempt whose commands meddle with its volumes', () => {
  let workspace: Workspace;
  let first: Brief;
  beforeAll(async () => {
    workspace = await openWorkspace({ fixture: 'node-repo', script: 'add-farewell', verify: ['true'] });
    first = workspace.brief;
  });
  afterAll(() => workspace.close());

  const run = async (commands: readonly RunnerCommand[]): Promise<string> => {
    let text = '';
    for (const command of commands) {
      const end = await workspace.step(command);
      expect(end, `${command}: ${end.said}`).toMatchObject({ exitCode: 0 });
      text = end.text;
    }
    return text;
  };

  it.each(cases)('$title', async ({ meddle, want }) => {
    workspace.brief = first;
    await workspace.newJob();
    await run(['checkout', 'setup', 'work', 'verify-setup', 'verify']);
    await meddle((path) => workspace.file(path));
    expect(parseFinding('report', await run(['report']))).toMatchObject(want);
  });

  it('tells the verify commands of an evidence that is as large as it may be', async () => {
    const noisy = "head -c 100000 /dev/zero | tr '\\0' '\\1'";
    workspace.brief = { ...first, verify: { ...first.verify, commands: Array.from({ length: 32 }, () => noisy) } };
    expect(await workspace.attempt()).toMatchObject({ outcome: 'ok', verify: { passed: 32, failed: 0 } });
  });

  it.each(['NetworkNotContained', 'BranchTaken', 'StepFailed', undefined])(
    'a courier whose tests claim %s after they ran on the moved branch',
    async (reason) => {
      workspace.brief = first;
      const brief = courierBrief(first, await workspace.attempt());
      await workspace.outsideCommit({
        branch,
        path: `${reason}.md`,
        content: 'x',
        message: `Other\n\nSwefleet-Story: ${storyUid}`,
      });
      workspace.brief = brief;
      await workspace.newJob();
      await run(['merge', 'courier-setup', 'courier-verify']);
      const file = workspace.file('fleet/out/verify/finding.json');
      await (reason === undefined ? rm(file) : writeFile(file, forged('verify', reason)));
      expect(parseFinding('push', await run(['push']))).toMatchObject(brokenStep);
    },
  );
});
