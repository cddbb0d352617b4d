import { describe, expect, it } from 'vitest';
import { addressOf } from '../../cluster/addresses.ts';
import type { BoxParameters } from '../../cluster/component-files.ts';
import { COMPONENTS, componentsOf } from '../../cluster/components.ts';

const parameters: BoxParameters = {
  ...{ name: 'some', cacheDir: '/cache', binDir: '/bin', address: addressOf(1) },
  ...{ gpus: 0, controlPlaneOnly: false, revision: 1 },
};
const namesOf = (more: Partial<BoxParameters>): readonly string[] =>
  componentsOf({ ...parameters, ...more }).map(({ name }) => name);

describe('the components of a box', () => {
  it('are all of them where it has a node', () => {
    expect(namesOf({})).toEqual(COMPONENTS);
  });

  it('are those that keep and schedule objects where it has none, and none of them waits for one that is left out', () => {
    const names = namesOf({ controlPlaneOnly: true });
    expect(names).toEqual(['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler']);
    const awaited = componentsOf({ ...parameters, controlPlaneOnly: true }).flatMap(({ after = [] }) => after);
    expect(awaited.filter((name) => !names.includes(name))).toEqual([]);
  });
});
