// Opens the environment once for all end-to-end files: chart, git server and scripted model live in this process, the tests connect to them.
import { TEST_BOX } from '../environment/test-cluster.ts';
import { openEnvironment, type Stage } from '../environment/environment.ts';
import { E2E_NAMESPACES } from './namespaces.ts';

const stage: Stage = async (label, work) => {
  const log = (line: string): void => console.log(`setup (e2e): ${line}`);
  log(label);
  return work(log);
};

export const setup = async (): Promise<() => Promise<void>> => {
  const environment = await openEnvironment({ box: TEST_BOX, namespaces: E2E_NAMESPACES, stage });
  return () => environment.close();
};
