import { describe, expect, it } from 'vitest';
import { platformConfig } from '../../../crds/contracts/platform.ts';
import { platform } from '../../builders/objects.ts';

const row = (more: object = {}): object => ({
  name: 'vllm',
  kind: 'model',
  host: 'vllm.models.svc:8443',
  namespaces: ['*'],
  ...more,
});
const config = (more: object = {}): object => ({ ...platform(), upstreams: [row()], ...more });

describe('the platform configuration', () => {
  it('fills in what a row of the table leaves out', () => {
    expect(platformConfig.parse(config()).upstreams).toEqual([
      { ...row(), scheme: 'https', prefix: '/', credentials: false, ca: false, allowPrivate: false },
    ]);
  });

  it('takes a quantity that YAML read as a number', () => {
    const parsed = platformConfig.parse(
      config({ workspace: { ...platform().workspace, resources: { limits: { cpu: 2, memory: '1Gi' } } } }),
    );
    expect(parsed.workspace.resources).toEqual({ limits: { cpu: '2', memory: '1Gi' } });
  });

  it.each([
    { given: 'http to a public host', more: { upstreams: [row({ scheme: 'http' })] }, want: 'scheme http needs allowPrivate' },
    {
      given: 'an egress row with credentials',
      more: { upstreams: [row({ kind: 'egress', credentials: true })] },
      want: 'an egress row has neither credentials nor a CA',
    },
    { given: 'two rows of one name', more: { upstreams: [row(), row()] }, want: 'names of upstreams are unique' },
    { given: 'a host with a path', more: { upstreams: [row({ host: 'a/b' })] }, want: 'host' },
    { given: 'a host with a user', more: { upstreams: [row({ host: 'u@a' })] }, want: 'host' },
    { given: 'a row for nobody', more: { upstreams: [row({ namespaces: [] })] }, want: 'namespaces' },
    { given: 'a misspelt field', more: { upstream: [] }, want: 'Unrecognized key: \\"upstream\\"' },
    { given: 'a name that would leave its folder', more: { upstreams: [row({ name: '../x' })] }, want: 'name' },
    { given: 'a password in the NATS address', more: { nats: { url: 'nats://u:p@nats:4222' } }, want: 'url' },
  ])('refuses $given', ({ more, want }) => {
    const result = platformConfig.safeParse(config(more));
    expect(result.success).toBe(false);
    expect(JSON.stringify(result.error?.issues)).toContain(want);
  });
});
