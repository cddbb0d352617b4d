import { describe, expect, it } from 'vitest';
import { withoutCredentials } from '../../../crds/rules/credentials.ts';

describe('credentials in a text are hidden', () => {
  it.each([
    ['password=hunter22 and more', 'password=[REDACTED] and more'],
    ['DB_PASSWORD: "hunter22"', 'DB_PASSWORD: [REDACTED]'],
    ['api_key = abcdef123456', 'api_key = [REDACTED]'],
    ['Authorization: Bearer abcdefgh12345678', 'Authorization: Bearer [REDACTED]'],
    ['token ghp_abcdefghijklmnopqrstuvwxyz0123', 'token [REDACTED]'],
    ['-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----', '[REDACTED]'],
    ['x eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl y', 'x [REDACTED] y'],
    ['nats://user:pass@nats:4222/x', 'nats://[REDACTED]@nats:4222/x'],
    ['the password is asked for twice', 'the password is asked for twice'],
    ['a token bucket limits requests', 'a token bucket limits requests'],
  ])('%s', (text, want) => {
    expect(withoutCredentials(text)).toBe(want);
  });

  it('does not take long on a text made to be slow', () => {
    const slow = `${'-----BEGIN PRIVATE KEY-----'.repeat(500)}${'password'.repeat(2_000)}`;
    expect(withoutCredentials(slow)).toHaveLength(slow.length);
  });
});
