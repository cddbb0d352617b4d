// From a Task to a commit, through the steps of both Jobs as processes.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { branch, courierBrief, openWorkspace, storyUid, type Workspace } from './workspace.ts';

describe('an attempt and its courier on a Node repository', () => {
  let workspace: Workspace;
  beforeAll(async () => {
    workspace = await openWorkspace({ fixture: 'node-repo', script: 'add-farewell', verify: ['npm test'], processes: true });
  });
  afterAll(() => workspace.close());

  it('carries a node that runs where there is none, with the libraries it needs', async () => {
    const run = await workspace.step('runner');
    expect(run).toMatchObject({ exitCode: 0, text: '{"step":"runner","outcome":"ok"}' });
    const lib = workspace.file('fleet/runner/lib');
    const env = { LD_LIBRARY_PATH: lib, LD_DEBUG: 'libs' };
    const { stdout, stderr } = spawnSync(workspace.file('fleet/runner/node'), ['--version'], { encoding: 'utf8', env });
    expect(stdout.trim()).toBe(process.version);
    expect(stderr).toContain(`calling init: ${lib}/libstdc++.so.6`);
    expect(stderr).not.toContain(`calling init: ${lib}/libc.so.6`);
    expect(statSync(workspace.file('fleet/runner/agent-runner.mjs')).size).toBeGreaterThan(100_000);
  });

  it('ends on SIGTERM with the children of the step', async () => {
    workspace.brief = { ...workspace.brief, setup: { commands: ['echo $$ > ../child; exec sleep 300'] } };
    await workspace.newJob();
    expect((await workspace.step('checkout')).exitCode).toBe(0);
    const child = workspace.start('setup');
    const exited = once(child, 'exit');
    await vi.waitFor(() => expect(readFileSync(workspace.file('fleet/tree/child'), 'utf8')).toMatch(/\d\n/), {
      timeout: 60_000,
      interval: 50,
    });
    child.kill('SIGTERM');
    expect((await exited)[0]).toBe(143);
    const pid = Number(readFileSync(workspace.file('fleet/tree/child'), 'utf8'));
    await vi.waitFor(() => expect(existsSync(`/proc/${pid}`)).toBe(false), { timeout: 60_000, interval: 50 });
    workspace.brief = { ...workspace.brief, setup: { commands: [] } };
  });

  it('ends with a code other than 0 and a message when its own files are broken', async () => {
    await workspace.newJob();
    writeFileSync(
      workspace.file('fleet/git/checkout.json'),
      JSON.stringify({ step: 'checkout', outcome: 'ok', base: workspace.base }),
    );
    writeFileSync(workspace.file('fleet/git/brief.json'), '{');
    const run = await workspace.step('setup');
    expect(run.exitCode).toBe(1);
    expect(run.text).toContain('"reason":"StepFailed"');
  });

  it('lands one commit with its trailers', async () => {
    const report = await workspace.attempt();
    expect(report).toMatchObject({ outcome: 'ok', base: workspace.base, files: 3, verify: { passed: 1, failed: 0 } });
    workspace.brief = courierBrief(workspace.brief, report);
    const push = await workspace.courier();
    expect(push.outcome).toBe('ok');
    expect((await workspace.show('rev-parse', branch)).trim()).toBe(push.commit);
    expect(await workspace.show('log', '-1', '--format=%an <%ae> %aI %cI%n%B', branch)).toBe(
      [
        'agent-dev-001 <agent@swefleet.invalid> 2026-11-20T10:00:00+00:00 2026-11-20T10:00:00+00:00',
        'Add farewell(name)',
        '',
        'farewell(name) says goodbye as greeting(name) says hello; both refuse an empty name. Tests are added.',
        '',
        `Swefleet-Story: ${storyUid}`,
        `Swefleet-Plan: ${workspace.brief.planDigest}`,
        'Swefleet-Task: farewell',
        'Swefleet-Attempt: 1',
        `Swefleet-Evidence: ${report.evidence}`,
        '\n',
      ].join('\n'),
    );
  });
});
