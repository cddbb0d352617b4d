// The environment of a step: what the Job builder writes is what the runner reads, and what is missing is said whole.
import { describe, expect, it } from 'vitest';
import { readConfig } from '../../../agent-runner/config.ts';
import { fleetPaths } from '../../../agent-runner/paths.ts';
import { isCommand, USAGE } from '../../../agent-runner/process-entry.ts';
import { taskJob } from '../../../controllers/task/children.ts';
import { stepTable, volumePaths } from '../../../controllers/workspace/step-table.ts';
import { JOB_KINDS, type JobKind } from '../../../crds/contracts/steps.ts';
import { jobInput } from '../../builders/workspaces.ts';

interface PodSpec {
  readonly initContainers: readonly Container[];
  readonly containers: readonly Container[];
}
interface Container {
  readonly name: string;
  readonly env: readonly { readonly name: string; readonly value: string }[];
}

const CA = '-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----';

const environments = (kind: JobKind): readonly Readonly<Record<string, string>>[] => {
  const { gateway } = jobInput();
  const { spec } = taskJob(jobInput({ gateway: { ...gateway, caPem: CA } }), { kind, n: 2, candidate: 1, courierTry: 1 });
  const pod = (spec as { readonly template: { readonly spec: PodSpec } }).template.spec;
  return [...pod.initContainers, ...pod.containers].map(({ env }) =>
    Object.fromEntries(env.map(({ name, value }) => [name, value])),
  );
};

describe("a step's configuration", () => {
  it.each(JOB_KINDS)('is read from the environment that every container of a Job has: %s', (kind) => {
    const written = environments(kind);
    expect(written).toHaveLength(stepTable[kind].length);
    for (const environment of written)
      expect(readConfig(environment)).toMatchObject({
        ...{ kind, ownerUid: 'uid-login-form', attempt: 2, deadlineSeconds: 600 },
        ...{ gatewayUrl: 'https://fleet-gateway:8443', gatewayCa: CA, forbidden: [{ host: '10.0.0.9', port: 8444 }] },
      });
  });

  it('counts the API server among what must be out of reach', () => {
    const [environment] = environments('attempt');
    const kubelet = { KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '6443' };
    expect(readConfig({ ...environment, ...kubelet }).forbidden).toContainEqual({ host: '10.0.0.1', port: 6443 });
  });

  it('is refused with the name of every variable that is absent or wrong', () => {
    const [environment] = environments('attempt');
    expect(() => readConfig({ ...environment, FLEET_ATTEMPT: '0', FLEET_GATEWAY_CA: 'none', FLEET_KIND: undefined })).toThrow(
      /FLEET_KIND[\s\S]*FLEET_ATTEMPT[\s\S]*FLEET_GATEWAY_CA|FLEET_ATTEMPT[\s\S]*FLEET_GATEWAY_CA[\s\S]*FLEET_KIND/,
    );
  });

  it("hands a command of the repository none of the step's own variables", () => {
    const [environment] = environments('courier');
    expect(Object.keys(readConfig({ ...environment, LANG: 'C' }).childEnvironment).toSorted()).toEqual([
      ...['CI', 'HOME', 'LANG', 'PATH'],
    ]);
  });
});

describe("the runner's command line", () => {
  it('takes and explains every command of the table of steps', () => {
    for (const { command } of JOB_KINDS.flatMap((kind) => stepTable[kind])) {
      expect(isCommand(command)).toBe(true);
      expect(USAGE).toContain(command);
    }
    expect(isCommand('deploy')).toBe(false);
  });
});

describe("the runner's paths", () => {
  it('lie in volumes that the Job mounts, but for the token, the scratch folder and the termination log', () => {
    const mounted = Object.values(volumePaths);
    const outside = Object.values(fleetPaths('/')).filter(
      (path) => !mounted.some((at) => path === at || path.startsWith(`${at}/`)),
    );
    expect(outside.toSorted()).toEqual(['/dev/termination-log', '/fleet/token/token', '/tmp']);
  });
});
