// The process itself, on a real API server: it becomes ready, serves, and ends cleanly; with a bad environment it says everything that is wrong.

import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newAuthority, newServerCertificate } from '../../../install/certificates.ts';
import { ensureBox } from '../../cluster/cluster.ts';
import { platform } from '../../builders/objects.ts';
import { TEST_BOX, TEST_GPUS } from '../../environment/test-cluster.ts';
import { installCrds } from '../admission.ts';
import { clientOf, connectToCluster } from '../cluster.ts';
import { freePort, startNats, type NatsServer } from '../nats.ts';

const MAIN = join(import.meta.dirname, '../../../gateway/main.ts');

interface Running {
  readonly child: ChildProcess;
  readonly said: () => string;
  readonly code: Promise<number | null>;
}

const start = (environment: Readonly<Record<string, string>>): Running => {
  const child = spawn(process.execPath, [MAIN], {
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  return { child, said: () => said, code: new Promise((resolve) => child.once('exit', (code) => resolve(code))) };
};

describe('the gateway as a process', () => {
  let folder: string;
  let nats: NatsServer;
  let kubeconfig: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'swe-fleet-gateway-'));
    nats = await startNats();
    ({ kubeconfig } = await ensureBox({ name: TEST_BOX, gpus: TEST_GPUS, log: (line) => console.log(line) }));
    const client = clientOf(await connectToCluster());
    await installCrds(client);
    await client.close();
    const now = Date.now();
    const authority = await newAuthority('gateway test', now, 1);
    const pair = await newServerCertificate(authority, { names: ['localhost'], now, days: 1 });
    await mkdir(join(folder, 'tls'));
    await writeFile(join(folder, 'tls/tls.crt'), pair.certificate);
    await writeFile(join(folder, 'tls/tls.key'), pair.key);
    await writeFile(join(folder, 'platform.json'), JSON.stringify(platform({ nats: { url: nats.url } })));
  });

  afterAll(async () => {
    await nats.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const environment = async (): Promise<Record<string, string>> => ({
    KUBECONFIG: kubeconfig,
    FLEET_LISTEN_HOST: '127.0.0.1',
    FLEET_PORT: '0',
    FLEET_CANARY_PORT: '0',
    FLEET_HEALTH_PORT: String(await freePort()),
    FLEET_PLATFORM_FILE: join(folder, 'platform.json'),
    FLEET_TLS_CERT_FILE: join(folder, 'tls/tls.crt'),
    FLEET_TLS_KEY_FILE: join(folder, 'tls/tls.key'),
    FLEET_UPSTREAMS_DIR: folder,
    FLEET_NATS_PASSWORD: 'not-for-the-log',
  });

  it('becomes ready, tells what it does in JSON lines without its secrets, and ends with 0 on SIGTERM', async () => {
    const given = await environment();
    const running = start(given);
    const look = async (path: string): Promise<string> =>
      fetch(`http://127.0.0.1:${given['FLEET_HEALTH_PORT']}${path}`).then(
        async (answer) => `${answer.status} ${await answer.text()}`,
        () => 'not up',
      );
    await expect.poll(() => look('/readyz'), { timeout: 60_000 }).toBe('200 ok\n');
    await expect.poll(() => look('/metrics'), { timeout: 60_000 }).toContain('swefleet_bus_available{process="gateway"} 1');
    running.child.kill('SIGTERM');
    expect(await running.code).toBe(0);
    const lines = running
      .said()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { readonly message: string });
    expect(lines.map(({ message }) => message)).toEqual(
      expect.arrayContaining(['starting', 'listening', 'listed', 'signal', 'ended']),
    );
    expect(running.said()).not.toContain('not-for-the-log');
  });

  it('does not start with a bad environment, and says everything that is wrong', async () => {
    const running = start({ ...(await environment()), FLEET_PORT: 'high', FLEET_LOG_LEVEL: 'loud' });
    expect(await running.code).toBe(2);
    expect(running.said()).toMatch(/FLEET_PORT[\s\S]*FLEET_LOG_LEVEL/);
  });

  it('does not start with a bad platform file, and says where it is wrong', async () => {
    const file = join(folder, 'bad.json');
    await writeFile(file, JSON.stringify({ ...platform(), gates: { scope: 'Maybe' } }));
    const running = start({ ...(await environment()), FLEET_PLATFORM_FILE: file });
    expect(await running.code).toBe(2);
    expect(running.said()).toContain('gates.scope');
  });
});
