/**
 * The box's certificate authority and what it signs. Keys are ECDSA P-256; files are PEM under the box's `pki` directory.
 */
import 'reflect-metadata'; // x509 asks for it
import * as x509 from '@peculiar/x509';
import { webcrypto } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BoxAddress } from './addresses.ts';
import { API_SERVICE_IP, NODE_NAME } from './layout.ts';

export interface Identity {
  /** User name; for a server the name it goes by. */
  readonly commonName: string;
  readonly groups?: readonly string[];
  /** Present for a server certificate, absent for a client's. */
  readonly server?: { readonly names: readonly string[]; readonly addresses: readonly string[] };
}

export interface PemPair {
  readonly certificate: string;
  readonly key: string;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;
const LIFETIME_MS = 3650 * DAY_MS;

const pem = (label: string, der: ArrayBuffer): string =>
  `-----BEGIN ${label}-----\n${(
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  ).join('\n')}\n-----END ${label}-----\n`;

const newKeys = (): Promise<webcrypto.CryptoKeyPair> => webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);

const keyPem = async (key: webcrypto.CryptoKey): Promise<string> =>
  pem('PRIVATE KEY', await webcrypto.subtle.exportKey('pkcs8', key));

// an hour back, for clocks that differ a little
const validity = (): { notBefore: Date; notAfter: Date } => ({
  notBefore: new Date(Date.now() - 3_600_000),
  notAfter: new Date(Date.now() + LIFETIME_MS),
});

export interface Authority {
  readonly certificate: string;
  sign(identity: Identity): Promise<PemPair>;
}

const signWith = async (issuer: x509.X509Certificate, signingKey: webcrypto.CryptoKey, identity: Identity): Promise<PemPair> => {
  const keys = await newKeys();
  const usage = identity.server === undefined ? x509.ExtendedKeyUsage.clientAuth : x509.ExtendedKeyUsage.serverAuth;
  const alternatives: x509.JsonGeneralNames = [
    ...(identity.server?.names ?? []).map((value) => ({ type: 'dns' as const, value })),
    ...(identity.server?.addresses ?? []).map((value) => ({ type: 'ip' as const, value })),
  ];
  const certificate = await x509.X509CertificateGenerator.create({
    subject: new x509.Name([
      ...(identity.groups ?? []).map((group) => ({ O: [group] })),
      { CN: [identity.commonName] },
    ]).toString(),
    issuer: issuer.subject,
    ...validity(),
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([usage]),
      ...(alternatives.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(alternatives)]),
    ],
  });
  return { certificate: certificate.toString('pem'), key: await keyPem(keys.privateKey) };
};

const newAuthority = async (): Promise<PemPair> => {
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=swe-fleet box',
    ...validity(),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign | x509.KeyUsageFlags.digitalSignature,
        true,
      ),
    ],
  });
  return { certificate: certificate.toString('pem'), key: await keyPem(keys.privateKey) };
};

const writeSecret = (path: string, text: string): void => {
  writeFileSync(`${path}.next`, text, { mode: 0o600 });
  renameSync(`${path}.next`, path);
};

const writePair = (directory: string, name: string, pair: PemPair): void => {
  writeSecret(join(directory, `${name}.crt`), pair.certificate);
  writeSecret(join(directory, `${name}.key`), pair.key);
};

const readPair = (directory: string, name: string): PemPair => ({
  certificate: readFileSync(join(directory, `${name}.crt`), 'utf8'),
  key: readFileSync(join(directory, `${name}.key`), 'utf8'),
});

/** The authority in `directory`; its files must be there. */
export const openAuthority = async (directory: string): Promise<Authority> => {
  const { certificate, key } = readPair(directory, 'ca');
  const der = Buffer.from(key.replace(/-----[^-]+-----|\s/g, ''), 'base64');
  const signingKey = await webcrypto.subtle.importKey('pkcs8', der, ALGORITHM, true, ['sign']);
  const issuer = new x509.X509Certificate(certificate);
  return { certificate, sign: (identity) => signWith(issuer, signingKey, identity) };
};

/** The identities of the box's own clients, by the name of their kubeconfig. */
export const CLIENTS = {
  admin: { commonName: 'admin', groups: ['system:masters'] },
  'kube-controller-manager': { commonName: 'system:kube-controller-manager' },
  'kube-scheduler': { commonName: 'system:kube-scheduler' },
  'kube-proxy': { commonName: 'system:kube-proxy' },
  kubelet: { commonName: `system:node:${NODE_NAME}`, groups: ['system:nodes'] },
  coredns: { commonName: 'box:coredns', groups: ['system:masters'] },
  'network-policy': { commonName: 'box:network-policy', groups: ['system:masters'] },
  supervisor: { commonName: 'box:supervisor', groups: ['system:masters'] },
} as const satisfies Record<string, Identity>;

export type ClientName = keyof typeof CLIENTS;

const clientNames = Object.keys(CLIENTS) as readonly ClientName[];

const API_SERVER_NAMES = [
  'kubernetes',
  'kubernetes.default',
  'kubernetes.default.svc',
  'kubernetes.default.svc.cluster.local',
  'localhost',
];

/** Makes what is missing in `directory`: the authority, the token keys, clients, and servers for this very address. */
export const ensureCertificates = async (directory: string, address: BoxAddress): Promise<void> => {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const has = (file: string): boolean => existsSync(join(directory, file));
  if (!has('ca.key') || !has('ca.crt')) writePair(directory, 'ca', await newAuthority());
  if (!has('tokens.key')) {
    const keys = await newKeys();
    writeSecret(join(directory, 'tokens.pub'), pem('PUBLIC KEY', await webcrypto.subtle.exportKey('spki', keys.publicKey)));
    writeSecret(join(directory, 'tokens.key'), await keyPem(keys.privateKey));
  }
  const authority = await openAuthority(directory);
  const missing = async (name: string, identity: Identity): Promise<void> => {
    if (!has(`${name}.key`)) writePair(directory, name, await authority.sign(identity));
  };
  await Promise.all(clientNames.map((name) => missing(name, CLIENTS[name])));
  await missing('apiserver-kubelet', { commonName: 'kube-apiserver', groups: ['system:masters'] });
  const addresses = [address.boxIp, '127.0.0.1'];
  await missing(`apiserver-${address.index}`, {
    commonName: 'kube-apiserver',
    server: { names: API_SERVER_NAMES, addresses: [...addresses, API_SERVICE_IP] },
  });
  await missing(`kubelet-server-${address.index}`, { commonName: NODE_NAME, server: { names: [NODE_NAME], addresses } });
};

export const readCertificate = readPair;

x509.cryptoProvider.set(webcrypto);
