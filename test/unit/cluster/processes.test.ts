// Whether a process that was written down is still that process.
import { spawn } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { childrenOf, identify, isAlive, killAndWait, namespaceMembers } from '../../cluster/processes.ts';

const own = identify(process.pid);
if (own === undefined) throw new Error('/proc does not know this process');

describe('a process that was written down', () => {
  it.each([
    ['is alive while it runs', own, true],
    ['is not the one that has its number later', { ...own, startTicks: '1' }, false],
    ['is not one of before the machine was restarted', { ...own, bootId: 'another' }, false],
    ['is gone when nobody has its number', { ...own, pid: 2 ** 22 + 1 }, false],
  ])('%s', (_, identity, want) => expect(isAlive(identity)).toBe(want));

  it('is found among the children of its parent, and gone for good after it was killed', async () => {
    const child = spawn('sleep', ['600']);
    const identity = identify(child.pid ?? 0);
    expect(childrenOf(process.pid)).toContain(child.pid);
    expect(identity).toBeDefined();
    if (identity === undefined) return;
    await killAndWait([identity]);
    expect(isAlive(identity)).toBe(false);
  });

  it('is known by the same number in its own namespace and on a machine that has but one', () => {
    expect(namespaceMembers(process.pid).get(Number(own.pid))).toBe(process.pid);
  });
});
