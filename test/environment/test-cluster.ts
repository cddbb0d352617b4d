// The cluster of `npm test`: set up before the first test starts, shared by all projects but `box`, which has boxes of its own.
import { ensureBox, type Cluster } from '../cluster/cluster.ts';
import { clusterConfig } from '../cluster/config.ts';
import { deliverImages } from '../cluster/images/delivery.ts';
import type { Log } from '../cluster/progress.ts';

export const TEST_BOX = 'test';
export const TEST_GPUS = 2;

export interface TestCluster {
  readonly name: string;
  readonly kind: Cluster['kind'];
  down(): Promise<void>;
}

export const prepareTestCluster = async ({ log }: { readonly log: Log }): Promise<TestCluster> => {
  const cluster = await ensureBox({ name: TEST_BOX, gpus: TEST_GPUS, fresh: true, log });
  await deliverImages({ cluster, config: clusterConfig(), log });
  return { name: cluster.name, kind: cluster.kind, down: () => cluster.down() };
};
