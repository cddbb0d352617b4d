// The chart's pre-install and pre-upgrade hook: wires the install to the cluster it runs in. Ends with 0 when everything is there.

import { ApiClient } from '../kube/client.ts';
import { loadConnection } from '../kube/connection.ts';
import { clusterStore } from './cluster-store.ts';
import { readConfig } from './config.ts';
import { install } from './install.ts';

const config = readConfig();
const client = new ApiClient(await loadConnection(), { userAgent: 'swe-fleet-install' });
try {
  await install(config, {
    store: clusterStore(client, config.release, config.namespace),
    now: Date.now(),
    log: (line) => console.log(line),
  });
} finally {
  await client.close();
}
