// From a Task to a commit, through the steps of both Jobs as processes.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { branch, courierBrief, openWorkspace, storyUid, type Workspace } from './workspace.ts';

describe('an attempt and its courier on a Node repository', () => {
  let workspace: Workspace;
  beforeAll(async () => {
    workspace = await openWorkspace({ fixture: 'node-repo', script: 'add-farewell', verify: ['npm test'], processes: true });
  });
  afterAll(() => workspace.close());

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
