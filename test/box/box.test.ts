// A box on this machine, for real: its life, its deaths, and what it leaves behind.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureBox, type Cluster } from '../cluster/cluster.ts';
import { clusterConfig } from '../cluster/config.ts';
import { PAUSE_IMAGE } from '../cluster/component-files.ts';
import { openBuilder } from '../cluster/images/builder.ts';
import { addLayout, layoutOf, readLayout, writeArchive } from '../cluster/images/layout.ts';
import { COMPONENTS, type ComponentName } from '../cluster/components.ts';
import { boxLayout } from '../cluster/layout.ts';
import { allPids, commandLine, namespaceMembers } from '../cluster/processes.ts';
import { runningBox } from '../cluster/box.ts';
import { plain, reportOf } from '../cluster/report.ts';
import { readState } from '../cluster/state-file.ts';
import type { BoxStatus } from '../cluster/status.ts';

const { cacheDir } = clusterConfig();
const name = `life-${process.pid}`;
const neighbour = `next-${process.pid}`;
const said: string[] = [];
const log = (line: string): void => void said.push(line);
const start = (box: string, gpus?: number): Promise<Cluster> =>
  // of this machine, whatever cluster the other tests use
  ensureBox({
    name: box,
    log,
    config: { ...clusterConfig(), externalKubeconfig: undefined },
    ...(gpus === undefined ? {} : { gpus }),
  });

const kubectl = (cluster: Cluster, ...words: string[]): string =>
  execFileSync(join(cluster.binDir, 'kubectl'), words, {
    env: { ...process.env, KUBECONFIG: cluster.kubeconfig },
    encoding: 'utf8',
  }).trim();

const whoami = (cluster: Cluster, kubeconfig: string): string =>
  kubectl({ ...cluster, kubeconfig }, 'auth', 'whoami', '-o', 'jsonpath={.status.userInfo.username} {.status.userInfo.groups}');

/** Never 0: a signal to that goes to ourselves and all around us. */
const pidOf = (what: string, pid: number | undefined): number => {
  if (pid === undefined || pid === 0) throw new Error(`${what} does not run`);
  return pid;
};

const firstProcess = (box: string): number => pidOf(`box ${box}`, runningBox(cacheDir, box)?.processes.first.pid);

/** The components' process ids on this machine. */
const processes = (box: string): ReadonlyMap<ComponentName, number> => {
  const members = namespaceMembers(firstProcess(box));
  const components = readState<BoxStatus>(boxLayout(cacheDir, box).status)?.components ?? [];
  return new Map(components.map((component) => [component.name, members.get(component.pid) ?? 0]));
};

const eventually = async <T>(look: () => T | undefined | false): Promise<T> => {
  for (;;) {
    const found = look();
    if (found !== undefined && found !== false) return found;
    await new Promise((resolve) => setTimeout(resolve, 50)); // vitest's own timeout ends it
  }
};

const podManifest = (pod: string, limits: Readonly<Record<string, string>> = {}): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: pod },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [{ name: 'only', image: PAUSE_IMAGE, imagePullPolicy: 'Never', resources: { limits } }],
    },
  });

const apply = (cluster: Cluster, manifest: string): string =>
  execFileSync(join(cluster.binDir, 'kubectl'), ['apply', '-f', '-'], {
    env: { ...process.env, KUBECONFIG: cluster.kubeconfig },
    input: manifest,
    encoding: 'utf8',
  });

/** The paths of all cgroups, mounts and links of this machine that carry the name of a box. */
const traces = (box: string, link: string): readonly string[] => {
  const cgroups = readdirSync('/sys/fs/cgroup', { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap((entry) => [
      entry.name,
      ...readdirSync(join('/sys/fs/cgroup', entry.name)).map((inner) => `${entry.name}/${inner}`),
    ]);
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  const commands = allPids().map((pid) => commandLine(pid).join(' '));
  const ours = (text: string): boolean => text.includes(`/${box}`) || text.includes(`swefleet-${box}`);
  const stillThere = [...cgroups, ...mounts, ...commands.filter((line) => !line.includes('vitest'))].filter(ours);
  return [...stillThere, ...readdirSync('/sys/class/net').filter((each) => each === link)];
};

describe('a box', () => {
  let box: Cluster;
  beforeAll(async () => {
    box = await start(name);
  });
  afterAll(async () => {
    await box.down({ forget: true });
    for (const each of [name, neighbour]) rmSync(boxLayout(cacheDir, each).lock); // nobody else knows these names
  });

  it('runs every component, and its node, DNS and pods work', async () => {
    expect([...processes(name).keys()].sort()).toEqual([...COMPONENTS].sort());
    expect(reportOf(cacheDir, name, plain)).toMatchObject({ healthy: true });
    apply(box, podManifest('first'));
    kubectl(box, 'wait', 'pod/first', '--for=condition=Ready', '--timeout=60s');
    const lookUp = `require("node:dns/promises").resolve4("kubernetes.default.svc.cluster.local").then((a) => console.log(String(a)))`;
    const resolver = `const d=require("node:dns");d.setServers(["${box.boxIp}"]);const r=new d.promises.Resolver();r.setServers(["${box.boxIp}"]);`;
    const script = `${resolver}${lookUp.replace('require("node:dns/promises")', 'r')}`;
    expect((await box.enter([process.execPath, '-e', script])).trim()).toBe('10.96.0.1');
  });

  it('has no way to any other network, while its pods reach a server on this machine', async () => {
    expect(await box.enter(['ip', 'route', 'show', 'default'])).toBe('');
    const server: Server = createServer((_, response) => response.end('the machine answers'));
    await new Promise<void>((resolve) => server.listen(0, box.hostIp, resolve));
    try {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      const fromPod = ['nsenter', '--net=/run/netns/' + (await box.enter(['ls', '/run/netns'])).trim().split('\n')[0]];
      const fetchIt = `fetch("http://${box.hostIp}:${port}").then((r) => r.text()).then(console.log)`;
      expect((await box.enter([...fromPod, process.execPath, '-e', fetchIt])).trim()).toBe('the machine answers');
    } finally {
      server.close();
    }
  });

  it('is found running by a second up, also by two at once', async () => {
    const first = firstProcess(name);
    await Promise.all([start(name), start(name)]);
    expect(firstProcess(name)).toBe(first);
    expect(said.at(-1)).toMatch(/^reusing box/);
  });

  it('knows two users apart, writes down every write with its author, and no reads', async () => {
    const alice = await box.userKubeconfig('alice', ['developers']);
    const bob = await box.userKubeconfig('bob');
    expect([whoami(box, alice), whoami(box, bob)]).toEqual([
      'alice ["developers","system:authenticated"]',
      'bob ["system:authenticated"]',
    ]);
    kubectl(box, 'create', 'configmap', 'kept');
    const events = await eventually(() => {
      const lines = readFileSync(String(box.auditLog), 'utf8').trim().split('\n');
      const all = lines.map(
        (line) => JSON.parse(line) as { verb: string; user: { username: string }; objectRef?: { name?: string } },
      );
      return all.some((event) => event.objectRef?.name === 'kept') && all;
    });
    expect(events.find((event) => event.objectRef?.name === 'kept')).toMatchObject({
      verb: 'create',
      user: { username: 'admin' },
    });
    expect([...new Set(events.map((event) => event.verb))].filter((verb) => ['get', 'list', 'watch'].includes(verb))).toEqual([]);
  });

  it('loads an image once, and again when its name had gone to another one', async () => {
    const home = mkdtempSync(join(tmpdir(), 'box-images-'));
    try {
      const name = 'swefleet.local/loaded:dev';
      const builder = openBuilder(home, log);
      writeFileSync(join(home, 'Dockerfile'), 'FROM scratch\nCOPY content /\n');
      for (const content of ['one', 'two']) {
        writeFileSync(join(home, 'content'), content);
        await builder.build({ name, dockerfile: join(home, 'Dockerfile'), context: home });
        await addLayout(home, layoutOf(home, name, content), (draft) => builder.export(name, draft));
      }
      const [one, two] = [layoutOf(home, name, 'one'), layoutOf(home, name, 'two')];
      const known = async (): Promise<string> => box.enter(['ctr', '-n', 'k8s.io', 'images', 'ls', `name==${name}`]);
      const digestOf = (layout: string): string | undefined => readLayout(name, layout)?.digest;
      expect([await box.loadImage(one), await box.loadImage(one)]).toEqual([true, false]);
      expect(await box.loadImage(two)).toBe(true);
      expect(await known()).toContain(digestOf(two));
      expect(await box.loadImage(one)).toBe(true);
      expect(await known()).toContain(digestOf(one));
      const archive = join(home, 'one.tar');
      await writeArchive(one, archive);
      expect([await box.loadImage(archive), await box.loadImage(archive)]).toEqual([true, false]);
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  });

  it('can be used like any cluster of somebody else, by SWEFLEET_KUBECONFIG', async () => {
    const config = { ...clusterConfig(), externalKubeconfig: box.kubeconfig };
    const other = await ensureBox({ config, log });
    expect(other).toMatchObject({
      kind: 'external',
      apiUrl: box.apiUrl,
      boxIp: box.boxIp,
      hostIp: box.hostIp,
      auditLog: undefined,
    });
    expect(said.at(-1)).toMatch(/^using the cluster of SWEFLEET_KUBECONFIG: .*; no box is started$/);
    expect(whoami(other, await other.userKubeconfig('carol', ['guests']))).toBe('carol ["guests","system:authenticated"]');
    await expect(other.loadImage('/an/image.tar')).rejects.toThrow(/SWEFLEET_REGISTRY/);
    await expect(other.enter(['true'])).rejects.toThrow(/needs a box/);
    await other.down();
    expect(reportOf(cacheDir, name, plain)).toMatchObject({ healthy: true });
  });

  it('names components that died with their last log lines, and up starts those and leaves the others', async () => {
    const before = processes(name);
    for (const victim of ['etcd', 'kube-scheduler'] as const) process.kill(pidOf(victim, before.get(victim)), 'SIGKILL');
    const report = await eventually(() => {
      const now = reportOf(cacheDir, name, plain);
      return now.lines.filter((line) => line.includes(' died at ')).length === 2 && now.lines.join('\n');
    });
    const logLines = readFileSync(join(box.stateDir, 'logs', 'kube-scheduler.log'), 'utf8')
      .trim()
      .split('\n');
    expect(report).toMatch(/kube-scheduler died at .* \(signal SIGKILL\)/);
    expect(report).toContain(logLines.at(-1));
    await start(name);
    expect(said.join('\n')).toMatch(/kube-scheduler died at .* \(signal SIGKILL\)/);
    const after = processes(name);
    const changed = [...after].filter(([component, pid]) => before.get(component) !== pid).map(([component]) => component);
    expect(changed.sort()).toEqual(['etcd', 'kube-scheduler']);
    expect(reportOf(cacheDir, name, plain)).toMatchObject({ healthy: true });
  });

  it('offers GPUs on request, and still does after kubelet was killed', async () => {
    const offered = (): string =>
      kubectl(box, 'get', 'node', '-o', String.raw`jsonpath={.items[0].status.allocatable.nvidia\.com/gpu}`);
    await start(name, 2);
    expect(offered()).toBe('2');
    process.kill(pidOf('kubelet', processes(name).get('kubelet')), 'SIGKILL');
    await eventually(() => !reportOf(cacheDir, name, plain).healthy);
    await start(name);
    expect(offered()).toBe('2');
    apply(box, podManifest('on-a-gpu', { 'nvidia.com/gpu': '2' }));
    kubectl(box, 'wait', 'pod/on-a-gpu', '--for=condition=Ready', '--timeout=60s');
  });

  it('shares nothing with a second box beside it', async () => {
    const other = await start(neighbour);
    try {
      expect(other.apiUrl).not.toBe(box.apiUrl);
      apply(other, podManifest('first'));
      kubectl(other, 'wait', 'pod/first', '--for=condition=Ready', '--timeout=60s');
      expect(kubectl(other, 'get', 'configmaps', '-o', 'name')).not.toContain('configmap/kept');
    } finally {
      await other.down({ forget: true });
    }
    expect(kubectl(box, 'get', 'pod', 'first', '-o', 'jsonpath={.status.containerStatuses[0].restartCount}')).toBe('0');
    expect(reportOf(cacheDir, name, plain)).toMatchObject({ healthy: true });
  });

  it('comes back with what it kept after its first process was killed', async () => {
    process.kill(firstProcess(name), 'SIGKILL');
    await eventually(() => runningBox(cacheDir, name) === undefined);
    expect(reportOf(cacheDir, name, plain).lines[0]).toMatch(/not running \(it ended without being asked to/);
    box = await start(name);
    expect(said.join('\n')).toContain(`box "${name}" had ended without being asked to`);
    expect(kubectl(box, 'get', 'configmap', 'kept', '-o', 'name')).toBe('configmap/kept');
  });

  it('leaves no process, link, mount or cgroup behind when it ends', async () => {
    const link = runningBox(cacheDir, name)?.address.link ?? '';
    expect(traces(name, link).length).toBeGreaterThan(10);
    await box.down();
    expect(traces(name, link)).toEqual([]);
  });

  it('starts over, and says why, when what it kept is damaged', async () => {
    const wal = join(boxLayout(cacheDir, name).etcd, 'member', 'wal');
    for (const file of readdirSync(wal)) writeFileSync(join(wal, file), 'not a log');
    box = await start(name);
    expect(said.join('\n')).toMatch(/etcd died at [^]*The kept state does not start: starting over without it/);
    expect(kubectl(box, 'get', 'configmaps', '-o', 'name')).not.toContain('configmap/kept');
  });
});
