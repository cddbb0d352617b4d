// Enforces the cluster's NetworkPolicies on this node with nftables. Runs in the network namespace that the pods' links are in; replaces one table of its own
// and touches nothing else. It leaves the table in place when it ends, so that nothing opens while it is away.
//
//   node test/cluster/enforcer/main.ts --kubeconfig FILE --nft-table NAME [--pod-cidr CIDR] [--pod-interfaces PATTERN] [--health HOST:PORT]
//
// GET /readyz is 200 when the rules in the kernel are current; GET /healthz besides demands that no policy is refused.
import { createServer, type Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Cache } from '../../../kube/cache.ts';
import { ApiClient } from '../../../kube/client.ts';
import { loadConnection } from '../../../kube/connection.ts';
import type { KubeObject, Resource } from '../../../kube/object.ts';
import { Reflector } from '../../../kube/reflector.ts';
import { namespaces, networkPolicies, pods } from '../../../kube/resources.ts';
import { Applier } from './applier.ts';
import { compile, type Settings } from './compile.ts';
import { applyRules, tableExists } from './nft.ts';
import type { Namespace, NetworkPolicy, Pod } from './objects.ts';

interface Options {
  readonly kubeconfig: string;
  readonly settings: Settings;
  readonly health: { readonly host: string; readonly port: number };
}

const log = (line: string): void => console.log(`${new Date().toISOString()} ${line}`);

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      kubeconfig: { type: 'string' },
      'nft-table': { type: 'string' },
      'pod-cidr': { type: 'string', default: '10.244.0.0/24' },
      'pod-interfaces': { type: 'string', default: 'veth*' },
      health: { type: 'string', default: '127.0.0.1:10260' },
    },
  });
  const { kubeconfig, 'nft-table': table, 'pod-cidr': podCidr, 'pod-interfaces': podInterfaces } = values;
  if (kubeconfig === undefined || table === undefined) throw new Error('--kubeconfig and --nft-table are needed');
  if (!/^[a-z_][a-z0-9_]*$/.test(table))
    throw new Error(`--nft-table ${table} is no nftables name; next: use letters, digits and _`);
  if (!/^[a-z0-9*._-]+$/.test(podInterfaces)) throw new Error(`--pod-interfaces ${podInterfaces} is no interface pattern`);
  const [host = '', port = ''] = values.health.split(':');
  return { kubeconfig, settings: { table, podCidr, podInterfaces }, health: { host, port: Number(port) } };
}

function serveHealth(applier: Applier, { host, port }: Options['health']): Server {
  const server = createServer((request, response) => {
    const { current, refused, error } = applier.health;
    const good = current && (request.url === '/readyz' || refused.length === 0);
    response.writeHead(good ? 200 : 503, { 'content-type': 'application/json' }).end(JSON.stringify({ current, refused, error }));
  });
  return server.listen(port, host);
}

async function main(): Promise<void> {
  const { kubeconfig, settings, health } = readOptions();
  // Nothing known yet: the pod range is shut, unless the rules of a run before are there.
  if (!(await tableExists(settings.table)))
    await applyRules(compile({ policies: [], pods: [], namespaces: [], assigned: new Map() }, settings).text);
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());

  const client = new ApiClient(await loadConnection(kubeconfig), { userAgent: 'swe-fleet-network-policy' });
  const caches = { policies: new Cache<NetworkPolicy>(), pods: new Cache<Pod>(), namespaces: new Cache<Namespace>() };
  const applier = new Applier({
    compile: () =>
      compile(
        {
          policies: [...caches.policies.values()],
          pods: [...caches.pods.values()],
          namespaces: [...caches.namespaces.values()],
          assigned: new Map(),
        },
        settings,
      ),
    apply: applyRules,
    log,
    sleep: (ms) => sleep(ms, undefined, { ref: false }),
  });
  const follow = <T extends KubeObject>(resource: Resource, cache: Cache<T>): Reflector<T> => {
    const onReport = (report: { readonly type: string; readonly error?: unknown }): void => {
      if (report.type !== 'listed') log(`${resource.plural}: ${report.type}: ${String(report.error)}`);
    };
    return new Reflector<T>({ client, resource, cache, onReport });
  };
  const reflectors = [follow(networkPolicies, caches.policies), follow(pods, caches.pods), follow(namespaces, caches.namespaces)];
  const running = reflectors.map((reflector) => reflector.run(stop.signal));
  const server = serveHealth(applier, health);
  await Promise.race([Promise.all(reflectors.map((reflector) => reflector.synced)), Promise.all(running)]);
  // From here on the caches are whole: what is absent in them is absent.
  for (const cache of Object.values(caches)) cache.onChange(() => void applier.changed());
  await applier.changed();
  log(`enforcing in table ${settings.table}`);
  await Promise.all(running);
  server.close();
  await client.close();
}

await main();
