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

const toolchain = (limits: object): object => {
  const { toolchain: known } = platform().workspace;
  return { ...known, limits: { ...known.limits, ...limits } };
};

describe('the platform configuration', () => {
  it('fills in what a row of the table leaves out', () => {
    expect(platformConfig.parse(config()).upstreams).toEqual([
      { ...row(), scheme: 'https', prefix: '/', credentials: false, ca: false, allowPrivate: false },
    ]);
  });

  it('takes a quantity that YAML read as a number', () => {
    const { workspace } = platform();
    const limits = { cpu: 2, memory: '1Gi', 'ephemeral-storage': '4Gi' };
    const parsed = platformConfig.parse(config({ workspace: { ...workspace, resources: { ...workspace.resources, limits } } }));
    expect(parsed.workspace.resources.limits).toEqual({ ...limits, cpu: '2' });
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
    {
      given: 'steps without a limit',
      more: { workspace: { ...platform().workspace, resources: { requests: {}, limits: { memory: '1Gi' } } } },
      want: 'ephemeral-storage',
    },
    {
      given: 'a default beyond the maximum',
      more: { workspace: { ...platform().workspace, toolchain: toolchain({ cpu: '16' }) } },
      want: 'limits are at most the maxima',
    },
    {
      given: 'a limit that is none',
      more: { workspace: { ...platform().workspace, toolchain: toolchain({ cpu: '0' }) } },
      want: 'no limit is 0',
    },
    { given: 'a misspelt field', more: { upstream: [] }, want: 'Unrecognized key: \\"upstream\\"' },
    { given: 'a name that would leave its folder', more: { upstreams: [row({ name: '../x' })] }, want: 'name' },
    { given: 'a password in the NATS address', more: { nats: { url: 'nats://u:p@nats:4222' } }, want: 'url' },
  ])('refuses $given', ({ more, want }) => {
    const result = platformConfig.safeParse(config(more));
    expect(result.success).toBe(false);
    expect(JSON.stringify(result.error?.issues)).toContain(want);
  });
});
