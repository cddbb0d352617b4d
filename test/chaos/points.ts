// Every kind of fault with the moments at which it is tried: the whole of a chaos run.
import type { Fault, Point } from './contract.ts';
import { internalErrors, leaderFrozen, tooManyRequests } from './faults/api.ts';
import { branchMoved, portBroken } from './faults/outside.ts';
import { componentKilled, killed, nodeNotReady, ownOutOfMemory, storeFull, storeLost } from './faults/processes.ts';
import { jobDeleted, podDeleted, stepKilled, stepOutOfMemory } from './faults/workspaces.ts';

const COURIER_PUSH = ['courier merge', 'courier push', 'commit pushed'] as const;
const GIT = ['attempt checkout', 'courier merge', 'courier push'] as const;
const MODEL = ['attempt work', 'model asked'] as const;

export const FAULTS: Readonly<Record<string, Fault>> = {
  'operator killed': killed(
    'operator',
    ...(['Story applied', 'Plan approved', 'attempt checkout', 'attempt work', 'attempt report', 'patch accepted'] as const),
    ...([...COURIER_PUSH, 'Task succeeded'] as const),
  ),
  'gateway killed': killed(
    'gateway',
    'Story applied',
    'attempt checkout',
    'attempt work',
    'model asked',
    'attempt report',
    ...COURIER_PUSH,
  ),
  'NATS killed': killed(
    'nats',
    'Story applied',
    'Plan approved',
    'attempt work',
    'model asked',
    'attempt report',
    'patch accepted',
    ...COURIER_PUSH,
  ),
  'NATS lost': storeLost(
    'Story applied',
    'attempt checkout',
    'attempt work',
    'model asked',
    'attempt report',
    'patch accepted',
    ...COURIER_PUSH,
  ),
  'NATS full': storeFull('attempt work', 'attempt report', 'courier merge', 'Task succeeded'),
  'kubelet killed': componentKilled(
    'kubelet',
    'Plan approved',
    'attempt checkout',
    'attempt work',
    'attempt verify',
    'attempt report',
    ...COURIER_PUSH,
  ),
  'containerd killed': componentKilled(
    'containerd',
    'Plan approved',
    'attempt runner',
    'attempt work',
    'attempt verify',
    ...COURIER_PUSH,
  ),
  'API server killed': componentKilled(
    'kube-apiserver',
    ...([
      'Story applied',
      'Plan approved',
      'attempt checkout',
      'attempt work',
      'attempt report',
      ...COURIER_PUSH,
      'Task succeeded',
    ] as const),
  ),
  'step killed': stepKilled(
    ...([
      'attempt runner',
      'attempt checkout',
      'attempt setup',
      'attempt work',
      'attempt verify-setup',
      'attempt verify',
    ] as const),
    ...(['attempt report', 'courier runner', 'courier merge', 'courier setup', 'courier verify', 'courier push'] as const),
  ),
  'step out of memory': stepOutOfMemory('attempt work', 'attempt verify', 'courier merge', 'courier push'),
  'pod deleted': podDeleted('attempt checkout', 'attempt work', 'attempt report', 'courier merge', 'courier push'),
  'Job deleted': jobDeleted('attempt checkout', 'attempt work', 'attempt report', 'courier merge', 'courier push'),
  'leader frozen': leaderFrozen('Plan approved', 'attempt work', 'attempt report', 'courier push', 'Task succeeded'),
  'operator out of memory': ownOutOfMemory('operator', 'attempt work', 'courier push'),
  'gateway out of memory': ownOutOfMemory('gateway', 'model asked', 'courier push'),
  'NATS out of memory': ownOutOfMemory('nats', 'attempt work', 'attempt report'),
  'node NotReady': nodeNotReady('attempt work', 'courier push', 'Task succeeded'),
  'API answers 429': tooManyRequests(
    'Story applied',
    'Plan approved',
    'attempt work',
    'attempt report',
    'courier push',
    'Task succeeded',
  ),
  'API answers 500': internalErrors(
    'Story applied',
    'Plan approved',
    'attempt work',
    'attempt report',
    'courier push',
    'Task succeeded',
  ),
  'git server down': portBroken('git', { kind: 'refuse' }, 'Story applied', ...GIT),
  'git server slow': portBroken('git', { kind: 'slow', delayMs: 2_000 }, ...GIT),
  'git server cutting': portBroken('git', { kind: 'cut', afterBytes: 1_200 }, ...GIT),
  'branch moved': branchMoved('courier merge', 'courier setup', 'courier verify', 'courier push'),
  'model down': portBroken('model', { kind: 'refuse' }, ...MODEL),
  'model slow': portBroken('model', { kind: 'slow', delayMs: 5_000 }, ...MODEL),
  'model cutting': portBroken('model', { kind: 'cut', afterBytes: 300 }, ...MODEL),
};

export const ALL_POINTS: readonly Point[] = Object.entries(FAULTS).flatMap(([kind, { moments }]) =>
  moments.map((moment) => ({ kind, moment })),
);
