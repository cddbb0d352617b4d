// The chart's pre-install and pre-upgrade hook: wires the install to the cluster it runs in. Ends with 0 when everything is there.

import { ApiClient } from '../kube/client.ts';
import { loadConnection } from '../kube/connection.ts';
import { EXIT, runProgram } from '../runtime/process.ts';
import { clusterStore } from './cluster-store.ts';
import { readConfig } from './config.ts';
import { install } from './install.ts';

await runProgram({
  name: 'install',
  load: readConfig,
  levelOf: () => 'info',
  run: async (config, log) => {
    const client = new ApiClient(await loadConnection(), { userAgent: 'swe-fleet-install' });
    try {
      const store = clusterStore(client, config.release, config.namespace);
      await install(config, { store, now: Date.now(), log: (line) => log.info(line) });
      return EXIT.ended;
    } finally {
      await client.close();
    }
  },
});
