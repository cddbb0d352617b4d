// What the courier does with an accepted patch, whatever became of the branch meanwhile.
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Brief } from '../../../crds/contracts/brief.ts';
import { branch, courierBrief, openWorkspace, storyUid, type OutsideChange, type Workspace } from './workspace.ts';

const ours = `Another task\n\nSwefleet-Story: ${storyUid}\nSwefleet-Plan: sha256:0\nSwefleet-Task: another\nSwefleet-Attempt: 1`;

describe('a courier', () => {
  let workspace: Workspace;
  let brief: Brief;
  beforeAll(async () => {
    workspace = await openWorkspace({ fixture: 'node-repo', script: 'add-farewell', verify: ['npm test'] });
    brief = courierBrief(workspace.brief, await workspace.attempt());
  });
  afterAll(() => workspace.close());
  beforeEach(async () => {
    workspace.brief = brief;
    workspace.door.beforePush = undefined;
    workspace.door.vouches = true;
    workspace.door.receipts.length = 0;
    await workspace.show('update-ref', '-d', `refs/heads/${branch}`);
  });

  const head = async (): Promise<string> => (await workspace.show('rev-parse', branch)).trim();
  const mergeFinding = async (): Promise<unknown> => JSON.parse(await readFile(workspace.file('fleet/git/merge.json'), 'utf8'));
  const commits = async (): Promise<number> =>
    Number(await workspace.show('rev-list', '--count', `${workspace.base}..${branch}`));
  const change = (more: Partial<OutsideChange>): OutsideChange => ({
    branch,
    path: 'notes.md',
    content: 'notes\n',
    message: ours,
    ...more,
  });

  it('run again after it pushed, lands no second commit and says where the first one is', async () => {
    const first = await workspace.courier();
    const again = await workspace.courier();
    expect(again).toMatchObject({ outcome: 'ok', commit: first.commit });
    expect(await commits()).toBe(1);
    const asked = `push ${JSON.stringify({ commit: first.commit })}`;
    expect(workspace.door.receipts).toEqual([asked, asked]);
  });

  it('lands a revised task beside the commit of the revision before, whose id and attempt are the same', async () => {
    const first = await workspace.courier();
    const { courier: _courier, ...attempt } = brief;
    const task = { ...brief.task, uid: '7f3d8c1e-0000-4000-8000-000000000003', description: 'Write notes. [[script:stumbles]]' };
    workspace.brief = { ...attempt, task, planDigest: `sha256:${'c'.repeat(64)}` };
    workspace.brief = courierBrief(workspace.brief, await workspace.attempt());
    const second = await workspace.courier();
    expect(second.commit).not.toBe(first.commit);
    expect(await commits()).toBe(2);
    expect((await workspace.show('ls-tree', '--name-only', branch)).split('\n')).toContain('notes.md');
    expect(await workspace.courier()).toMatchObject({ outcome: 'ok', commit: second.commit });
    expect(await commits()).toBe(2);
  });

  it('takes no commit for its own that does not say what it rests on', async () => {
    const unsaid = `Add farewell(name)\n\nSwefleet-Story: ${storyUid}\nSwefleet-Task: ${brief.task.id}\nSwefleet-Attempt: 1`;
    const theirs = await workspace.outsideCommit(change({ message: unsaid }));
    const push = await workspace.courier();
    expect(push).toMatchObject({ outcome: 'ok', commit: await head() });
    expect(push.commit).not.toBe(theirs);
  });

  it('run again after it died before the push, makes the very same commit', async () => {
    const first = await workspace.courier();
    await workspace.show('update-ref', '-d', `refs/heads/${branch}`);
    expect(await workspace.courier()).toMatchObject({ outcome: 'ok', commit: first.commit });
  });

  it('verifies and lands on a branch that has moved', async () => {
    const moved = await workspace.outsideCommit(change({}));
    expect(await workspace.courier()).toMatchObject({ outcome: 'ok', commit: await head() });
    expect((await workspace.show('rev-parse', `${branch}^`)).trim()).toBe(moved);
    expect((await workspace.show('ls-tree', '--name-only', branch)).split('\n')).toContain('notes.md');
  });

  it('says nothing of a push that the gateway does not vouch for', async () => {
    workspace.door.vouches = false;
    expect(await workspace.courier()).toMatchObject({
      outcome: 'failed',
      reason: 'PushRejected',
      message: 'NotOnBranch: refused: NotOnBranch',
    });
  });

  it('does not push what no longer passes on a branch that has moved', async () => {
    const content = "import { test } from 'node:test';\ntest('nothing works any more', () => { throw new Error('no'); });\n";
    const moved = await workspace.outsideCommit(change({ path: 'test/broken.test.js', content }));
    expect(await workspace.courier()).toMatchObject({ outcome: 'failed', reason: 'VerifyFailed' });
    expect(await head()).toBe(moved);
  });

  it('says Conflict when the branch changed the same lines', async () => {
    const moved = await workspace.outsideCommit(change({ path: 'src/index.js', content: 'export const nothing = 0;\n' }));
    expect(await workspace.courier()).toMatchObject({
      outcome: 'skipped',
      reason: 'Conflict',
      message: expect.stringContaining('src/index.js') as string,
    });
    expect(await head()).toBe(moved);
  });

  it('never touches a branch that is not of its Story', async () => {
    const theirs = await workspace.outsideCommit(change({ message: 'Somebody else was here first' }));
    expect(await workspace.courier()).toMatchObject({ outcome: 'skipped', reason: 'BranchTaken' });
    expect(await head()).toBe(theirs);
  });

  it('goes on upon a branch that is not of its Story where a person named its head, and says upon what', async () => {
    const theirs = await workspace.outsideCommit(change({ message: 'The Story before this one' }));
    workspace.brief = { ...brief, repository: { ...brief.repository, adopt: theirs } };
    expect(await workspace.courier()).toMatchObject({ outcome: 'ok', commit: await head() });
    expect((await workspace.show('rev-parse', `${branch}^`)).trim()).toBe(theirs);
    expect(await mergeFinding()).toMatchObject({ commit: await head(), parent: theirs });
  });

  it('never touches such a branch when something came upon the head that the person named', async () => {
    const theirs = await workspace.outsideCommit(change({ message: 'The Story before this one' }));
    const later = await workspace.outsideCommit(change({ path: 'later.md', message: 'Nobody looked at this' }));
    workspace.brief = { ...brief, repository: { ...brief.repository, adopt: theirs } };
    expect(await workspace.courier()).toMatchObject({ outcome: 'skipped', reason: 'BranchTaken' });
    expect(await head()).toBe(later);
  });

  it('run again after it pushed, says upon what its commit was put, not what is the head by then', async () => {
    const first = await workspace.courier();
    await workspace.outsideCommit(change({}));
    expect(await workspace.courier()).toMatchObject({ outcome: 'ok', commit: first.commit });
    expect(await mergeFinding()).toMatchObject({ landed: true, commit: first.commit, parent: workspace.base });
  });

  it('leaves the branch alone when it moves between merge and push', async () => {
    let moved = '';
    workspace.door.beforePush = async () => {
      workspace.door.beforePush = undefined;
      moved = await workspace.outsideCommit(change({}));
    };
    expect(await workspace.courier()).toMatchObject({ outcome: 'failed', reason: 'PushRejected' });
    expect(await head()).toBe(moved);
  });

  it.each<{ title: string; with: (brief: Brief) => Brief; reason: string }>([
    {
      title: 'outside of the scope',
      with: (seen) => ({ ...seen, task: { ...seen.task, fileScope: ['docs/**'] } }),
      reason: 'OutOfScope',
    },
    {
      title: 'on a protected path',
      with: (seen) => ({ ...seen, limits: { ...seen.limits, protectedPaths: ['src/**'] } }),
      reason: 'ProtectedPath',
    },
    { title: 'of too many files', with: (seen) => ({ ...seen, limits: { ...seen.limits, patchFiles: 2 } }), reason: 'TooLarge' },
    {
      title: 'that the store has lost',
      with: (seen) => ({
        ...seen,
        courier: { patch: `sha256:${'0'.repeat(64)}`, evidence: seen.courier?.evidence ?? '', base: seen.courier?.base ?? '' },
      }),
      reason: 'ArtifactLost',
    },
    {
      title: 'that is no patch',
      with: (seen) => ({
        ...seen,
        courier: { patch: seen.courier?.evidence ?? '', evidence: seen.courier?.evidence ?? '', base: seen.courier?.base ?? '' },
      }),
      reason: 'PatchInvalid',
    },
  ])('judges by itself a patch $title', async ({ with: changed, reason }) => {
    workspace.brief = changed(brief);
    expect(await workspace.courier()).toMatchObject({ outcome: 'skipped', reason });
    expect(await workspace.show('for-each-ref', `refs/heads/${branch}`)).toBe('');
  });

  it.each(['/', '/git/'])('asks again while the gateway does not list its Job yet, for %s', async (path) => {
    workspace.door.notListedFor = path;
    workspace.door.notListedYet = 2;
    await workspace.newJob();
    expect((await workspace.step('merge')).text).toContain('"outcome":"ok"');
    expect(workspace.door.notListedYet).toBe(0);
  });
});
