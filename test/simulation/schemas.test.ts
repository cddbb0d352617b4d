// What the API server of the simulation takes and refuses of our kinds: the tables that test/contract/admission-crds.test.ts asks the real one.

import { describe, expect, it } from 'vitest';
import { objectOf } from '../builders/smallest.ts';
import { accepted, rejected, type CreateCase } from '../contract/admission-crds-creates.ts';
import { updates } from '../contract/admission-crds-updates.ts';
import { ApiServer } from './api-server.ts';

const serverWith = (): ApiServer => {
  const server = new ApiServer({ nowMs: () => 0, onWrite: () => undefined });
  server.create('person', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
  return server;
};

const answerTo = (call: () => unknown): string => {
  try {
    call();
    return 'accepted';
  } catch (error) {
    return (error as Error).message;
  }
};

const create = (server: ApiServer, { kind, spec, name }: CreateCase) =>
  server.create('person', objectOf(kind, name ?? 'a', 'shop', spec));

describe('new objects', () => {
  it.each(accepted)('accepts $given', (one) => {
    expect(answerTo(() => create(serverWith(), one))).toBe('accepted');
  });

  it.each(rejected)('refuses $given', (one) => {
    expect(answerTo(() => create(serverWith(), one))).not.toBe('accepted');
  });
});

describe('changes of stored objects', () => {
  it.each(updates)('$kind: $given -> $want', ({ kind, spec, status, patches, want }) => {
    const server = serverWith();
    const object = objectOf(kind, 'a', 'shop', spec);
    server.create('person', object);
    if (status !== undefined) server.applyStatus('operator', { ...object, status } as typeof object);
    for (const patch of patches.slice(0, -1)) server.patch('person', kind, 'shop/a', patch);
    const answer = answerTo(() => server.patch('person', kind, 'shop/a', patches.at(-1) ?? {}));
    expect(answer === 'accepted').toBe(want === 'accepted');
  });
});
