// What the pool reads: its environment, and the endpoints in the platform's table.

import { describe, expect, it } from 'vitest';
import { gatewayUrl, readConfig } from '../../../agent-pool/config.ts';
import { endpointsOf } from '../../../agent-pool/serving.ts';
import { upstream } from '../../../crds/contracts/platform.ts';
import { ConfigInvalid } from '../../../runtime/config.ts';
import { platform } from '../../builders/objects.ts';

const issuesOf = (environment: Readonly<Record<string, string>>): readonly string[] => {
  try {
    readConfig(environment);
    return [];
  } catch (error) {
    return error instanceof ConfigInvalid ? error.issues.map((issue) => issue.split(':')[0] ?? '') : [String(error)];
  }
};

describe('the environment of the agent pool', () => {
  it('has a default for everything but what is secret', () => {
    expect(readConfig({})).toEqual({
      FLEET_LISTEN_HOST: '::',
      FLEET_HEALTH_PORT: 8081,
      FLEET_PLATFORM_FILE: '/etc/fleet/platform/platform.json',
      FLEET_CA_FILE: '/etc/fleet/ca/ca.crt',
      FLEET_TOKEN_FILE: '/var/run/secrets/fleet/token',
      FLEET_TURNS_PER_ENDPOINT: 16,
      FLEET_DRAIN_SECONDS: 25,
      FLEET_LOG_LEVEL: 'info',
    });
  });

  it.each([
    { given: { FLEET_GATEWAY_URL: 'http://gateway:8443' }, want: ['FLEET_GATEWAY_URL'] },
    { given: { FLEET_TOKEN_FILE: 'token' }, want: ['FLEET_TOKEN_FILE'] },
    {
      given: { FLEET_TURNS_PER_ENDPOINT: '0', FLEET_DRAIN_SECONDS: '-1' },
      want: ['FLEET_TURNS_PER_ENDPOINT', 'FLEET_DRAIN_SECONDS'],
    },
    { given: { FLEET_LOG_LEVEL: 'loud' }, want: ['FLEET_LOG_LEVEL'] },
    { given: { FLEET_HEALTH_PORT: '70000' }, want: ['FLEET_HEALTH_PORT'] },
  ])('is refused with every issue: $given', ({ given, want }) => {
    expect(issuesOf(given)).toEqual(want);
  });

  it('finds the gateway by its Service, unless it is told where', () => {
    const { gateway } = platform();
    const at = { ...gateway, serviceName: 'fleet-gateway', namespace: 'swe-fleet', port: 8443 };
    expect(gatewayUrl(readConfig({}), { gateway: at })).toBe('https://fleet-gateway.swe-fleet.svc:8443');
    const told = readConfig({ FLEET_GATEWAY_URL: 'https://localhost:9/' });
    expect(gatewayUrl(told, { gateway: at })).toBe('https://localhost:9');
  });
});

describe('the endpoints of the table', () => {
  const row = (more: object) => upstream.parse({ name: 'one', kind: 'model', host: 'example.com', namespaces: ['*'], ...more });

  it('are its models, with their concurrency or the default', () => {
    const upstreams = [
      row({ concurrency: 3 }),
      row({ name: 'two' }),
      row({ name: 'git', kind: 'git' }),
      row({ name: 'npm', kind: 'egress' }),
    ];
    expect(endpointsOf(platform({ upstreams }), 16)).toEqual([
      { name: 'one', slots: 3 },
      { name: 'two', slots: 16 },
    ]);
  });
});
