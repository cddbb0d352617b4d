import { describe, expect, it } from 'vitest';
import { receiptOf } from '../../../bench/receipts.ts';
import { receipt } from '../../../crds/contracts/receipts.ts';
import { task, work } from '../../builders/objects.ts';
import { job, runningPod } from '../../builders/workspaces.ts';

describe('a receipt of what is played', () => {
  it.each(['attempt', 'courier'] as const)('is one that the operator reads: of an %s', (kind) => {
    const pod = runningPod(job(task(work('form')), { kind }));
    expect(receipt.parse(receiptOf(pod))).toMatchObject({ kind: kind === 'attempt' ? 'report' : 'push' });
  });

  it('is another for each pod', () => {
    const pod = runningPod(job(task(work('form')), { kind: 'courier' }));
    const other = { ...pod, metadata: { ...pod.metadata, uid: 'another' } };
    expect(receiptOf(pod)).not.toEqual(receiptOf(other));
  });
});
