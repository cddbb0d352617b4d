// What an attempt reports, whatever its agent, its model and its repository do.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Brief } from '../../../crds/contracts/brief.ts';
import { openWorkspace, type Workspace } from './workspace.ts';

interface Case {
  readonly title: string;
  readonly script: string;
  readonly with?: (brief: Brief) => Brief;
  readonly want: object;
}

const limited = (limits: Partial<Brief['limits']>) => (brief: Brief) => ({ ...brief, limits: { ...brief.limits, ...limits } });
const scoped = (brief: Brief): Brief => ({ ...brief, task: { ...brief.task, fileScope: ['src/**', 'test/**'] } });
const withSetup = (command: string) => (brief: Brief) => ({ ...brief, setup: { commands: [command] } });
const afterFailure = (brief: Brief): Brief => ({
  ...brief,
  attempt: 2,
  lastFailure: { attempt: 1, reason: 'VerifyFailed', message: '`npm test` ended with 1' },
});

const cases: readonly Case[] = [
  {
    title: 'work that the tests refuse is VerifyFailed, with patch and evidence',
    script: 'fails-first',
    want: {
      outcome: 'failed',
      reason: 'VerifyFailed',
      patch: expect.any(String) as string,
      verify: { passed: 0, failed: 1 },
      message: expect.stringContaining('npm test') as string,
    },
  },
  {
    title: 'the next attempt knows of it and does better',
    script: 'fails-first',
    with: afterFailure,
    want: { outcome: 'ok', verify: { passed: 1, failed: 0 } },
  },
  {
    title: 'a change of a protected path is refused',
    script: 'edits-protected-path',
    want: { outcome: 'failed', reason: 'ProtectedPath' },
  },
  {
    title: 'a change outside of the scope is refused',
    script: 'leaves-scope',
    with: scoped,
    want: { outcome: 'failed', reason: 'OutOfScope' },
  },
  { title: 'a link out of the repository is refused', script: 'links-out', want: { outcome: 'failed', reason: 'PatchInvalid' } },
  {
    title: 'too many bytes are refused',
    script: 'leaves-scope',
    with: limited({ patchBytes: 40 }),
    want: { outcome: 'failed', reason: 'TooLarge' },
  },
  {
    title: 'an agent that gives up says why',
    script: 'gives-up',
    want: { outcome: 'failed', reason: 'GaveUp', message: expect.stringContaining('contradicts') as string },
  },
  { title: 'an agent that changes nothing', script: 'changes-nothing', want: { outcome: 'failed', reason: 'NoChange' } },
  {
    title: 'malformed and unknown tool calls are told to the model, which recovers',
    script: 'stumbles',
    want: { outcome: 'ok', files: 1, summary: 'Notes are written.' },
  },
  {
    title: 'a model that never writes a usable call is given up',
    script: 'never-writes-json',
    want: { outcome: 'failed', reason: 'GaveUp' },
  },
  {
    title: 'iterations are limited',
    script: 'never-ends',
    with: limited({ iterations: 3 }),
    want: { outcome: 'failed', reason: 'BudgetSpent' },
  },
  {
    title: 'tokens are limited',
    script: 'never-ends',
    with: limited({ tokens: 3_000 }),
    want: { outcome: 'failed', reason: 'BudgetSpent' },
  },
  { title: 'a busy, a broken and a cut answer are asked for again', script: 'bad-line', want: { outcome: 'ok', files: 1 } },
  {
    title: 'a model that refuses the request is infrastructure',
    script: 'model-down',
    want: { outcome: 'failed', reason: 'ModelUnavailable' },
  },
  {
    title: 'a setup that fails in the unchanged tree is infrastructure',
    script: 'add-farewell',
    with: withSetup('exit 3'),
    want: { outcome: 'failed', reason: 'StepFailed' },
  },
  {
    title: 'a setup that fails only with the patch is the agent’s',
    script: 'add-farewell',
    with: withSetup('test ! -e src/farewell.js'),
    want: { outcome: 'failed', reason: 'SetupFailed' },
  },
  {
    title: 'what setup makes and .gitignore names is not handed in',
    script: 'leaves-scope',
    with: withSetup('mkdir -p node_modules && touch node_modules/x'),
    want: { outcome: 'ok', files: 1 },
  },
];

describe('an attempt', () => {
  let workspace: Workspace;
  let first: Brief;
  beforeAll(async () => {
    workspace = await openWorkspace({ fixture: 'node-repo', script: 'add-farewell', verify: ['npm test'] });
    first = workspace.brief;
  });
  afterAll(() => workspace.close());

  it.each(cases)('$title', async ({ script, with: changed, want }) => {
    const described = { ...first, task: { ...first.task, description: `[[script:${script}]]` } };
    workspace.brief = changed === undefined ? described : changed(described);
    const report = await workspace.attempt();
    expect(report).toMatchObject({ base: workspace.base, ...want });
    expect(workspace.door.artifacts.has(report.evidence ?? '')).toBe(true);
  });

  it('in a pod that reaches a forbidden port does nothing and says so', async () => {
    workspace.brief = first;
    workspace.canaryPort = workspace.door.port;
    workspace.door.requests.length = 0;
    const report = await workspace.attempt();
    workspace.canaryPort = 1;
    expect(report).toMatchObject({ outcome: 'skipped', reason: 'NetworkNotContained' });
    expect(workspace.door.requests.filter((line) => line.startsWith('work'))).toEqual([]);
  });

  it('gets a pinned commit that is not the newest from a server that gives none by id', async () => {
    workspace.brief = first;
    await workspace.outsideCommit({ branch: 'main', path: 'later.md', content: 'later\n' });
    workspace.door.oldProtocol = true;
    await workspace.newJob();
    const run = await workspace.step('checkout');
    workspace.door.oldProtocol = false;
    expect(run.text).toContain(`"outcome":"ok","base":"${workspace.base}"`);
  });

  it('on a repository that lost the pinned commit is RefUnknown', async () => {
    workspace.brief = { ...first, repository: { ...first.repository, baseCommit: '1'.repeat(40) } };
    await workspace.newJob();
    expect((await workspace.step('checkout')).text).toContain('"reason":"RefUnknown"');
  });
});

describe('an attempt on a Python repository', () => {
  let workspace: Workspace;
  beforeAll(async () => {
    workspace = await openWorkspace({
      fixture: 'python-repo',
      script: 'add-longest-word',
      verify: ['python3 -m unittest discover -s tests -t .'],
    });
  });
  afterAll(() => workspace.close());

  it('passes its tests', async () => {
    expect(await workspace.attempt()).toMatchObject({ outcome: 'ok', files: 2, verify: { passed: 1, failed: 0 } });
  });
});
