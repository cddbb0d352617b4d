// Certificates: making them, and judging whether those at hand still serve. Knows no cluster; the time is an argument.

import 'reflect-metadata'; // x509 asks for it
import { createPrivateKey, randomBytes, webcrypto, X509Certificate } from 'node:crypto';
import * as x509 from '@peculiar/x509';

/** PEM, the key as PKCS #8. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;
/** Clocks differ a little. */
const BACKDATED_MS = 3_600_000;

x509.cryptoProvider.set(webcrypto);

const newKeys = (): Promise<webcrypto.CryptoKeyPair> => webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);

const keyPem = async (key: webcrypto.CryptoKey): Promise<string> =>
  createPrivateKey({ key: Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key)), format: 'der', type: 'pkcs8' })
    .export({ format: 'pem', type: 'pkcs8' })
    .toString();

const importKey = (pem: string): Promise<webcrypto.CryptoKey> =>
  webcrypto.subtle.importKey('pkcs8', createPrivateKey(pem).export({ format: 'der', type: 'pkcs8' }), ALGORITHM, false, ['sign']);

const validity = (now: number, days: number): { readonly notBefore: Date; readonly notAfter: Date } => ({
  notBefore: new Date(now - BACKDATED_MS),
  notAfter: new Date(now + days * DAY_MS),
});

// the first bit off: a serial number is positive
const serialNumber = (): string => {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString('hex');
};

export const newAuthority = async (name: string, now: number, days: number): Promise<KeyPair> => {
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    serialNumber: serialNumber(),
    ...validity(now, days),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: `${certificate.toString('pem')}\n`, key: await keyPem(keys.privateKey) };
};

export interface ServerRequest {
  /** DNS names; the first is the common name. */
  readonly names: readonly string[];
  readonly now: number;
  readonly days: number;
}

export const newServerCertificate = async (authority: KeyPair, request: ServerRequest): Promise<KeyPair> => {
  const keys = await newKeys();
  const issuer = new x509.X509Certificate(authority.certificate);
  const { notBefore, notAfter } = validity(request.now, request.days);
  const certificate = await x509.X509CertificateGenerator.create({
    subject: `CN=${request.names[0] ?? ''}`,
    serialNumber: serialNumber(),
    issuer: issuer.subject,
    notBefore,
    // no certificate outlives its authority
    notAfter: notAfter < issuer.notAfter ? notAfter : issuer.notAfter,
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey: await importKey(authority.key),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(request.names.map((value) => ({ type: 'dns', value }))),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  });
  return { certificate: `${certificate.toString('pem')}\n`, key: await keyPem(keys.privateKey) };
};

/** Why a pair no longer serves; undefined when it does. `lastThird` is what "expires soon" means. */
export const weaknessOf = (pair: KeyPair, now: number): string | undefined => {
  try {
    const certificate = new X509Certificate(pair.certificate);
    if (!certificate.checkPrivateKey(createPrivateKey(pair.key))) return 'its key belongs to another certificate';
    const from = certificate.validFromDate.getTime();
    const to = certificate.validToDate.getTime();
    if (now >= to) return 'it has expired';
    if (now >= from + ((to - from) * 2) / 3) return 'it is in the last third of its life';
    return undefined;
  } catch {
    return 'it cannot be read';
  }
};

/** As `weaknessOf`, for a server certificate: it must also be signed by that authority and hold all names. */
export const serverWeaknessOf = (
  pair: KeyPair,
  authority: KeyPair,
  names: readonly string[],
  now: number,
): string | undefined => {
  const weakness = weaknessOf(pair, now);
  if (weakness !== undefined) return weakness;
  const certificate = new X509Certificate(pair.certificate);
  if (!certificate.verify(new X509Certificate(authority.certificate).publicKey)) return 'another authority signed it';
  const missing = names.filter((name) => certificate.checkHost(name) === undefined);
  return missing.length === 0 ? undefined : `it lacks ${missing.join(', ')}`;
};

export const isExpired = (certificate: string, now: number): boolean =>
  new X509Certificate(certificate).validToDate.getTime() <= now;
