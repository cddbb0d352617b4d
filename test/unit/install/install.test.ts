import { createSecureContext } from 'node:tls';
import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { newAuthority, newServerCertificate } from '../../../install/certificates.ts';
import { readConfig, type InstallConfig } from '../../../install/config.ts';
import { install, type Data, type Named, type Store } from '../../../install/install.ts';

const DAY_MS = 86_400_000;
const NOW = Date.UTC(2026, 10, 1);
const config: InstallConfig = { release: 'fleet', namespace: 'swe-fleet', ownNats: true, certificateDays: 300, caDays: 3000 };

class Memory implements Store {
  readonly objects = new Map<string, Data>();
  writes: string[] = [];

  async read(named: Named): Promise<Data | undefined> {
    return this.objects.get(`${named.kind}/${named.name}`);
  }

  async write(named: Named, data: Data): Promise<void> {
    this.objects.set(`${named.kind}/${named.name}`, data);
    this.writes.push(`${named.kind}/${named.name}`);
  }

  async restart(workload: { readonly kind: string; readonly name: string }): Promise<void> {
    this.writes.push(`restart ${workload.kind}/${workload.name}`);
  }
}

const run = async (store: Memory, now = NOW, change: Partial<InstallConfig> = {}): Promise<readonly string[]> => {
  store.writes = [];
  await install({ ...config, ...change }, { store, now, log: () => undefined });
  return store.writes;
};

const dataOf = (store: Memory, key: string): Data => store.objects.get(key) ?? {};
const ALL = [
  'Secret/fleet-ca-key',
  'ConfigMap/fleet-ca',
  'Secret/fleet-gateway-tls',
  'Secret/fleet-nats-tls',
  'Secret/fleet-nats-users',
];

describe('the install hook', () => {
  it('makes everything on an empty cluster and restarts nothing that it knows to be new', async () => {
    expect(await run(new Memory())).toEqual(ALL);
  });

  it('writes nothing the second time', async () => {
    const store = new Memory();
    await run(store);
    expect(await run(store, NOW + 100 * DAY_MS)).toEqual([]);
  });

  it('makes certificates that TLS accepts, for all names, signed by the published authority', async () => {
    const store = new Memory();
    await run(store);
    const authority = new X509Certificate(dataOf(store, 'ConfigMap/fleet-ca')['ca.crt'] ?? '');
    for (const [secret, names] of [
      ['fleet-gateway-tls', ['fleet-gateway', 'fleet-gateway.swe-fleet.svc', 'fleet-gateway.swe-fleet.svc.cluster.local']],
      ['fleet-nats-tls', ['fleet-nats', 'fleet-nats.swe-fleet', 'fleet-nats.swe-fleet.svc']],
    ] as const) {
      const { 'tls.crt': cert = '', 'tls.key': key = '', 'ca.crt': ca } = dataOf(store, `Secret/${secret}`);
      expect(() => createSecureContext({ cert, key })).not.toThrow();
      const certificate = new X509Certificate(cert);
      expect(certificate.verify(authority.publicKey) && certificate.checkIssued(authority)).toBe(true);
      expect(names.filter((name) => certificate.checkHost(name) === undefined)).toEqual([]);
      expect(ca).toBe(dataOf(store, 'ConfigMap/fleet-ca')['ca.crt']);
    }
    expect(dataOf(store, 'ConfigMap/fleet-ca')['ca.crt']).not.toContain('PRIVATE KEY');
  });

  it('makes four different passwords that a NATS configuration reads as text', async () => {
    const store = new Memory();
    await run(store);
    const users = dataOf(store, 'Secret/fleet-nats-users');
    expect(Object.keys(users).sort()).toEqual(['admin', 'gateway', 'operator', 'pool']);
    expect(new Set(Object.values(users)).size).toBe(4);
    for (const password of Object.values(users)) expect(password).toMatch(/^n[0-9a-f]{48}$/);
  });

  const again: readonly {
    readonly given: string;
    readonly change: (store: Memory) => void | Promise<void>;
    readonly now?: number;
    readonly settings?: Partial<InstallConfig>;
    readonly want: readonly string[];
  }[] = [
    {
      given: 'certificates in the last third of their life',
      change: () => undefined,
      now: NOW + 201 * DAY_MS,
      want: ['Secret/fleet-gateway-tls', 'Secret/fleet-nats-tls', 'restart StatefulSet/fleet-nats'],
    },
    {
      given: 'an authority in the last third of its life',
      change: () => undefined,
      now: NOW + 2001 * DAY_MS,
      want: [
        'Secret/fleet-ca-key',
        'ConfigMap/fleet-ca',
        'Secret/fleet-gateway-tls',
        'Secret/fleet-nats-tls',
        'restart StatefulSet/fleet-nats',
        'restart Deployment/fleet-operator',
        'restart Deployment/fleet-gateway',
        'restart Deployment/fleet-agent-pool',
      ],
    },
    {
      given: 'a certificate that was deleted',
      change: (store) => void store.objects.delete('Secret/fleet-gateway-tls'),
      want: ['Secret/fleet-gateway-tls'],
    },
    {
      given: 'an authority bundle that was deleted',
      change: (store) => void store.objects.delete('ConfigMap/fleet-ca'),
      want: ['ConfigMap/fleet-ca'],
    },
    {
      given: 'rubbish instead of a certificate',
      change: (store) => void store.objects.set('Secret/fleet-gateway-tls', { 'tls.crt': 'x', 'tls.key': 'y' }),
      want: ['Secret/fleet-gateway-tls'],
    },
    {
      given: 'a certificate of another authority',
      change: async (store) => {
        const pair = await newServerCertificate(await newAuthority('other', NOW, 3000), {
          names: [
            'fleet-gateway',
            'fleet-gateway.swe-fleet',
            'fleet-gateway.swe-fleet.svc',
            'fleet-gateway.swe-fleet.svc.cluster.local',
          ],
          now: NOW,
          days: 300,
        });
        store.objects.set('Secret/fleet-gateway-tls', { 'tls.crt': pair.certificate, 'tls.key': pair.key });
      },
      want: ['Secret/fleet-gateway-tls'],
    },
    {
      given: 'a key that belongs to another certificate',
      change: (store) => {
        const mixed = {
          ...dataOf(store, 'Secret/fleet-gateway-tls'),
          'tls.key': dataOf(store, 'Secret/fleet-nats-tls')['tls.key'] ?? '',
        };
        store.objects.set('Secret/fleet-gateway-tls', mixed);
      },
      want: ['Secret/fleet-gateway-tls'],
    },
    {
      given: 'a NATS user without a password',
      change: (store) => {
        const { operator = '', gateway = '', admin = '' } = dataOf(store, 'Secret/fleet-nats-users');
        store.objects.set('Secret/fleet-nats-users', { operator, gateway, admin });
      },
      want: ['Secret/fleet-nats-users', 'restart StatefulSet/fleet-nats'],
    },
  ];
  it.each(again)('given $given it repairs that alone', async ({ change, now, settings, want }) => {
    const store = new Memory();
    await run(store);
    await change(store);
    expect(await run(store, now, settings)).toEqual(want);
    expect(await run(store, now, settings)).toEqual([]);
  });

  it('keeps the passwords that are there when one is added', async () => {
    const store = new Memory();
    await run(store);
    const before = dataOf(store, 'Secret/fleet-nats-users');
    store.objects.set('Secret/fleet-nats-users', { operator: before['operator'] ?? '' });
    await run(store);
    expect(dataOf(store, 'Secret/fleet-nats-users')['operator']).toBe(before['operator']);
  });

  it('trusts the former authority beside the new one until it expires, and not after', async () => {
    const store = new Memory();
    await run(store);
    const old = dataOf(store, 'ConfigMap/fleet-ca')['ca.crt'] ?? '';
    await run(store, NOW + 2001 * DAY_MS);
    const both = dataOf(store, 'ConfigMap/fleet-ca')['ca.crt'] ?? '';
    expect(both.endsWith(old) && both.length > old.length).toBe(true);
    await run(store, NOW + 3001 * DAY_MS);
    expect(dataOf(store, 'ConfigMap/fleet-ca')['ca.crt']).toBe(both.slice(0, -old.length));
  });

  it('never signs beyond the life of the authority', async () => {
    const store = new Memory();
    await run(store, NOW, { certificateDays: 900, caDays: 300 });
    const certificate = new X509Certificate(dataOf(store, 'Secret/fleet-gateway-tls')['tls.crt'] ?? '');
    expect(certificate.validToDate.getTime()).toBe(NOW + 300 * DAY_MS);
  });

  it("leaves NATS alone when it is the user's own", async () => {
    expect(await run(new Memory(), NOW, { ownNats: false })).toEqual(ALL.slice(0, 3));
  });
});

describe("the install hook's configuration", () => {
  const env = {
    FLEET_RELEASE: 'fleet',
    FLEET_NAMESPACE: 'swe-fleet',
    FLEET_NATS_ENABLED: 'true',
    FLEET_CERTIFICATE_DAYS: '300',
    FLEET_CA_DAYS: '3000',
  };

  it('is read whole', () => {
    expect(readConfig(env)).toEqual(config);
  });

  it('names everything that is wrong at once', () => {
    expect(() => readConfig({ ...env, FLEET_RELEASE: 'No_Name', FLEET_CA_DAYS: 'many' })).toThrow(
      /FLEET_RELEASE[^]*FLEET_CA_DAYS|FLEET_CA_DAYS[^]*FLEET_RELEASE/,
    );
  });
});
