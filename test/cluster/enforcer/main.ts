// Enforces the cluster's NetworkPolicies on this node with nftables. Runs in the network namespace that the pods' links are in; replaces one table of its own
// and touches nothing else. It leaves the table in place when it ends, so that nothing opens while it is away.
//
//   node test/cluster/enforcer/main.ts --kubeconfig FILE --nft-table NAME [--pod-cidr CIDR] [--pod-interfaces PATTERN]
//     [--cni-results DIR] [--health HOST:PORT]
//
// GET /readyz is 200 when the rules in the kernel are current; GET /healthz besides demands that no policy is refused.
import { createServer, type Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Cache } from '../../../kube/cache.ts';
import { ApiClient } from '../../../kube/client.ts';
import { loadConnection } from '../../../kube/connection.ts';
import type { KubeObject, Resource } from '../../../kube/object.ts';
import { Reflector, type Report } from '../../../kube/reflector.ts';
import { namespaces, networkPolicies, pods } from '../../../kube/resources.ts';
import { AssignedAddresses } from './assigned-addresses.ts';
import { Applier } from './applier.ts';
import { compile, type Settings, type Observed } from './compile.ts';
import { applyRules, tableExists } from './nft.ts';
import type { Namespace, NetworkPolicy, Pod } from './objects.ts';

interface Options {
  readonly kubeconfig: string;
  readonly settings: Settings;
  /** Where the CNI library keeps its results. */
  readonly cniResults: string;
  readonly health: { readonly host: string; readonly port: number };
}

const log = (line: string): void => console.log(`${new Date().toISOString()} ${line}`);

const readOptions = (): Options => {
  const { values } = parseArgs({
    options: {
      kubeconfig: { type: 'string' },
      'nft-table': { type: 'string' },
      'pod-cidr': { type: 'string', default: '10.244.0.0/24' },
      'pod-interfaces': { type: 'string', default: 'veth*' },
      'cni-results': { type: 'string', default: '/var/lib/cni/results' },
      health: { type: 'string', default: '127.0.0.1:10260' },
    },
  });
  const { kubeconfig, 'nft-table': table, 'pod-cidr': podCidr, 'pod-interfaces': podInterfaces } = values;
  if (kubeconfig === undefined || table === undefined) throw new Error('--kubeconfig and --nft-table are needed');
  if (!/^[a-z_][a-z0-9_]*$/.test(table))
    throw new Error(`--nft-table ${table} is no nftables name; next: use letters, digits and _`);
  if (!/^[a-z0-9*._-]+$/.test(podInterfaces)) throw new Error(`--pod-interfaces ${podInterfaces} is no interface pattern`);
  const [host = '', port = ''] = values.health.split(':');
  return {
    kubeconfig,
    settings: { table, podCidr, podInterfaces },
    cniResults: values['cni-results'],
    health: { host, port: Number(port) },
  };
};

const serveHealth = (applier: Applier, { host, port }: Options['health']): Server => {
  const server = createServer((request, response) => {
    const { current, refused, error } = applier.health;
    const good = current && (request.url === '/readyz' || refused.length === 0);
    response.writeHead(good ? 200 : 503, { 'content-type': 'application/json' }).end(JSON.stringify({ current, refused, error }));
  });
  return server.listen(port, host);
};

interface Followed {
  readonly policies: Cache<NetworkPolicy>;
  readonly pods: Cache<Pod>;
  readonly namespaces: Cache<Namespace>;
  /** Resolves when all three equal the server, or when `signal` aborts. */
  readonly synced: Promise<unknown>;
  /** Resolves after `signal` aborts. */
  readonly ended: Promise<unknown>;
}

const follow = (client: ApiClient, signal: AbortSignal): Followed => {
  const reflectors: Reflector<KubeObject>[] = [];
  const cacheOf = <T extends KubeObject>(resource: Resource): Cache<T> => {
    const cache = new Cache<T>();
    const onReport = (report: Report): void => {
      if (report.type !== 'listed') log(`${resource.plural}: ${report.type}: ${String(report.error)}`);
    };
    reflectors.push(new Reflector<T>({ client, resource, cache, onReport }) as unknown as Reflector<KubeObject>);
    return cache;
  };
  const caches = {
    policies: cacheOf<NetworkPolicy>(networkPolicies),
    namespaces: cacheOf<Namespace>(namespaces),
    pods: cacheOf<Pod>(pods),
  };
  const ended = Promise.all(reflectors.map((reflector) => reflector.run(signal)));
  return { ...caches, ended, synced: Promise.race([Promise.all(reflectors.map((reflector) => reflector.synced)), ended]) };
};

const nothing = { policies: [], pods: [], namespaces: [], assigned: new Map<string, string>() };

const main = async (): Promise<void> => {
  const { kubeconfig, settings, cniResults, health } = readOptions();
  // Nothing known yet: the pod range is shut, unless the rules of a run before are there.
  if (!(await tableExists(settings.table))) await applyRules(compile(nothing, settings).text);
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());

  const client = new ApiClient(await loadConnection(kubeconfig), { userAgent: 'swe-fleet-network-policy' });
  const cluster = follow(client, stop.signal);
  // Before the caches are whole nothing is compiled from them: what is absent in them would count as absent.
  await cluster.synced;
  const observed = (): Observed => ({
    policies: [...cluster.policies.values()],
    pods: [...cluster.pods.values()],
    namespaces: [...cluster.namespaces.values()],
    assigned: addresses.current,
  });
  const applier = new Applier({
    compile: () => compile(observed(), settings),
    apply: applyRules,
    log,
    sleep: (ms) => sleep(ms, undefined, { ref: false }),
  });
  const changed = (): void => void applier.changed();
  const addresses = new AssignedAddresses(cniResults, changed);
  for (const cache of [cluster.policies, cluster.pods, cluster.namespaces]) cache.onChange(changed);
  const server = serveHealth(applier, health);
  await applier.changed();
  log(`enforcing in table ${settings.table}`);
  await cluster.ended;
  addresses.close();
  server.close();
  await client.close();
};

await main();
