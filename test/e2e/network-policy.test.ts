// NetworkPolicies on real pods: a pod never gets a packet past its policy, the first one included; what a policy allows arrives.
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TEST_BOX } from '../environment/test-cluster.ts';
import { connectEnvironment, type Environment } from '../environment/environment.ts';

const image = 'swefleet.local/toolchain-python:dev';

/** Tries each target of its arguments (`tcp:host:port`, `udp:resolver:53` for its name server) again and again, and prints how often each answered. */
const knocker = `
import socket, sys
for target in sys.argv[2:]:
    kind, host, port = target.split(':')
    if host == 'resolver':
        host = next(line.split()[1] for line in open('/etc/resolv.conf') if line.startswith('nameserver'))
    answered = 0
    for _ in range(int(sys.argv[1])):
        s = socket.socket(socket.AF_INET, socket.SOCK_STREAM if kind == 'tcp' else socket.SOCK_DGRAM)
        s.settimeout(0.3)
        try:
            s.connect((host, int(port)))
            if kind == 'udp':
                s.send(bytes.fromhex('00010100000100000000000007737769666c65657404746573740000010001'))
                s.recv(512)
            answered += 1
        except OSError:
            pass
        s.close()
    print(target, 'answered' if answered else 'silent', flush=True)
`;

const server =
  "import http.server; http.server.ThreadingHTTPServer(('', 8080), http.server.SimpleHTTPRequestHandler).serve_forever()";

describe('pods under NetworkPolicies', () => {
  const namespace = `policies-${randomBytes(3).toString('hex')}`;
  const state: { environment?: Environment } = {};
  const kubectl = (): Environment['kubectl'] => {
    if (state.environment === undefined) throw new Error('the environment is not connected');
    return state.environment.kubectl;
  };

  const pod = (name: string, command: readonly string[], ports: readonly object[] = []): object => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: { app: name } },
    spec: {
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 0,
      containers: [{ name: 'main', image, imagePullPolicy: 'IfNotPresent', command: ['python3', '-c', ...command], ports }],
    },
  });

  const policy = (name: string, spec: object): object => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name, namespace },
    spec,
  });

  /** What a pod saw that knocks on each target as its first act. */
  const knock = async (name: string, ...targets: readonly string[]): Promise<readonly string[]> => {
    await kubectl().apply(pod(name, [knocker, '4', ...targets]));
    await kubectl()('wait', '-n', namespace, `pod/${name}`, '--for=jsonpath={.status.phase}=Succeeded', '--timeout=120s');
    return (await kubectl()('logs', '-n', namespace, name)).trim().split('\n');
  };

  beforeAll(async () => {
    state.environment = await connectEnvironment(TEST_BOX);
    await kubectl()('create', 'namespace', namespace);
    await kubectl().apply([
      policy('shut', { podSelector: { matchLabels: { app: 'shut' } }, policyTypes: ['Ingress', 'Egress'] }),
      policy('guarded', {
        podSelector: { matchLabels: { app: 'server' } },
        ingress: [{ from: [{ podSelector: { matchLabels: { app: 'friend' } } }], ports: [{ port: 'web' }] }],
      }),
      pod('server', [server], [{ name: 'web', containerPort: 8080 }]),
    ]);
    await kubectl()('wait', '-n', namespace, 'pod/server', '--for=condition=Ready', '--timeout=120s');
  });
  afterAll(() => kubectl()('delete', 'namespace', namespace, '--wait=false'));

  const addresses = async (): Promise<{ readonly service: string; readonly node: string; readonly server: string }> => ({
    service: await kubectl()('get', 'service', 'kubernetes', '-n', 'default', '-o', 'jsonpath={.spec.clusterIP}'),
    node: await kubectl()('get', 'node', '-o', 'jsonpath={.items[0].status.addresses[?(@.type=="InternalIP")].address}'),
    server: await kubectl()('get', 'pod', 'server', '-n', namespace, '-o', 'jsonpath={.status.podIP}'),
  });

  it('a shut pod reaches nothing from its first packet on: no Service, no node, no pod, no DNS', async () => {
    const { service, node, server: peer } = await addresses();
    const targets = [`tcp:${service}:443`, `tcp:${node}:6443`, `tcp:${node}:10250`, `tcp:${peer}:8080`, 'udp:resolver:53'];
    expect(await knock('shut', ...targets)).toEqual(targets.map((target) => `${target} silent`));
  });

  it('a pod without a policy reaches what another’s policy lets in, and no more', async () => {
    const { service, server: peer } = await addresses();
    expect(await knock('stranger', `tcp:${service}:443`, 'udp:resolver:53', `tcp:${peer}:8080`)).toEqual([
      `tcp:${service}:443 answered`,
      'udp:resolver:53 answered',
      `tcp:${peer}:8080 silent`,
    ]);
  });

  it('a friend of the server reaches its named port', async () => {
    const { server: peer } = await addresses();
    expect(await knock('friend', `tcp:${peer}:8080`)).toEqual([`tcp:${peer}:8080 answered`]);
  });
});
