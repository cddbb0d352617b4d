// What must be there before the pods start: an authority, certificates, passwords. Makes what is missing or about to expire and
// leaves the rest as it is, so that it may run any number of times. Never deletes anything.

import { randomBytes } from 'node:crypto';
import { isExpired, newAuthority, newServerCertificate, serverWeaknessOf, weaknessOf, type KeyPair } from './certificates.ts';
import type { InstallConfig } from './config.ts';

/** Text by key; for Secrets decoded. */
export type Data = Readonly<Record<string, string>>;

export interface Named {
  readonly kind: 'Secret' | 'ConfigMap';
  readonly name: string;
  readonly type?: 'Opaque' | 'kubernetes.io/tls';
}

/** The cluster, as far as the hook needs it. */
export interface Store {
  /** Undefined when there is none of that name. */
  read(named: Named): Promise<Data | undefined>;
  write(named: Named, data: Data): Promise<void>;
  /** Has the pods of a workload started anew; a workload that is not there yet is passed over. */
  restart(workload: { readonly kind: 'Deployment' | 'StatefulSet'; readonly name: string }, reason: string): Promise<void>;
}

export interface Surroundings {
  readonly store: Store;
  readonly now: number;
  readonly log: (line: string) => void;
}

const USERS = ['operator', 'gateway', 'pool', 'admin'] as const;

/** Also the name by which workspaces and the CLI call the gateway, whatever the release is called. */
const GATEWAY_ALIAS = 'fleet-gateway';

const serviceNames = (service: string, namespace: string): readonly string[] => [
  service,
  `${service}.${namespace}`,
  `${service}.${namespace}.svc`,
  `${service}.${namespace}.svc.cluster.local`,
];

const pairOf = (data: Data | undefined): KeyPair | undefined =>
  data?.['tls.crt'] === undefined || data['tls.key'] === undefined
    ? undefined
    : { certificate: data['tls.crt'], key: data['tls.key'] };

interface Authority extends KeyPair {
  readonly renewed: boolean;
}

/** The kept authority, or a new one; the one before is trusted as well until it expires, as running pods hold its certificates. */
const ensureAuthority = async (config: InstallConfig, around: Surroundings): Promise<Authority> => {
  const { store, now, log } = around;
  const secret: Named = { kind: 'Secret', name: `${config.release}-ca-key`, type: 'kubernetes.io/tls' };
  const kept = await store.read(secret);
  const old = pairOf(kept);
  const weakness = old === undefined ? 'there is none' : weaknessOf(old, now);
  const pair =
    old !== undefined && weakness === undefined ? old : await newAuthority(`${config.release} swe-fleet`, now, config.caDays);
  const readable = weakness !== 'it cannot be read';
  const previous = pair === old ? kept?.['previous.crt'] : readable ? old?.certificate : undefined;
  const trusted = previous !== undefined && !isExpired(previous, now) ? previous : undefined;
  if (pair !== old) {
    await store.write(secret, {
      'tls.crt': pair.certificate,
      'tls.key': pair.key,
      ...(trusted !== undefined && { 'previous.crt': trusted }),
    });
    log(`made a certificate authority: ${weakness}`);
  }
  const bundle: Named = { kind: 'ConfigMap', name: `${config.release}-ca` };
  const wanted = pair.certificate + (trusted ?? '');
  if ((await store.read(bundle))?.['ca.crt'] !== wanted) {
    await store.write(bundle, { 'ca.crt': wanted });
    log(`wrote ConfigMap ${bundle.name}`);
  }
  return { ...pair, renewed: pair !== old && old !== undefined };
};

/** Says whether a certificate that may be in use was replaced. */
const ensureServer = async (
  server: { readonly secret: string; readonly names: readonly string[]; readonly days: number },
  authority: KeyPair,
  around: Surroundings,
): Promise<boolean> => {
  const named: Named = { kind: 'Secret', name: server.secret, type: 'kubernetes.io/tls' };
  const old = pairOf(await around.store.read(named));
  const weakness = old === undefined ? 'there is none' : serverWeaknessOf(old, authority, server.names, around.now);
  if (weakness === undefined) return false;
  const pair = await newServerCertificate(authority, { names: server.names, now: around.now, days: server.days });
  await around.store.write(named, { 'tls.crt': pair.certificate, 'tls.key': pair.key, 'ca.crt': authority.certificate });
  around.log(`made the certificate in Secret ${server.secret}: ${weakness}`);
  return old !== undefined;
};

// the letter in front keeps the NATS configuration from reading a password as a number
const newPassword = (): string => `n${randomBytes(24).toString('hex')}`;

const ensureUsers = async (config: InstallConfig, around: Surroundings): Promise<boolean> => {
  const named: Named = { kind: 'Secret', name: `${config.release}-nats-users`, type: 'Opaque' };
  const old = await around.store.read(named);
  const missing = USERS.filter((user) => (old?.[user] ?? '') === '');
  if (missing.length === 0) return false;
  await around.store.write(named, { ...old, ...Object.fromEntries(missing.map((user) => [user, newPassword()])) });
  around.log(`made passwords of the NATS users ${missing.join(', ')}`);
  return old !== undefined;
};

export const install = async (config: InstallConfig, around: Surroundings): Promise<void> => {
  const { release, namespace, certificateDays: days } = config;
  const authority = await ensureAuthority(config, around);
  const gateway = [GATEWAY_ALIAS, ...serviceNames(`${release}-gateway`, namespace).filter((name) => name !== GATEWAY_ALIAS)];
  // the gateway looks at its files and takes a new certificate by itself
  await ensureServer({ secret: `${release}-gateway-tls`, names: gateway, days }, authority, around);
  let natsChanged = false;
  if (config.ownNats) {
    const renewed = await ensureServer(
      { secret: `${release}-nats-tls`, names: serviceNames(`${release}-nats`, namespace), days },
      authority,
      around,
    );
    natsChanged = (await ensureUsers(config, around)) || renewed;
  }
  if (natsChanged) await around.store.restart({ kind: 'StatefulSet', name: `${release}-nats` }, 'certificate or users changed');
  if (authority.renewed)
    for (const process of ['operator', 'gateway', 'agent-pool'])
      await around.store.restart({ kind: 'Deployment', name: `${release}-${process}` }, 'the authority is another');
  around.log('everything is there');
};
