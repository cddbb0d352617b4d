// What happens to a workspace while one of its steps runs: the step, the pod or the Job is taken away.
import type { Job } from '../../../controllers/kubernetes.ts';
import type { KubeObject } from '../../../kube/object.ts';
import type { Fault, Moment, Scene } from '../contract.ts';
import type { StepProcess } from '../pod-processes.ts';
import { outOfMemory } from './processes.ts';

const heldStep = ({ reached }: Scene): StepProcess => {
  if (reached.step === undefined) throw new Error('no step is held at this moment');
  return reached.step;
};

const isHeld: Fault['fits'] = ({ step }) => step !== undefined;
/** The Task goes on by itself: nothing of ours has to come back. */
const atOnce = async (): Promise<void> => undefined;

/** Nothing tells a step that somebody else killed from one that its own code broke: in a step that runs such code, it is the agent's end. */
export const stepKilled = (...moments: readonly Moment[]): Fault => ({
  moments,
  traces: { agentReason: 'StepBroken' },
  fits: isHeld,
  strike: async (scene) => {
    process.kill(heldStep(scene).pid, 'SIGKILL');
    return { what: 'the step killed', heal: atOnce };
  },
});

export const stepOutOfMemory = (...moments: readonly Moment[]): Fault => ({
  moments,
  traces: { agentReason: 'OOMKilled' },
  fits: isHeld,
  strike: async (scene) => {
    await outOfMemory(heldStep(scene));
    return { what: 'the step out of memory', heal: atOnce };
  },
});

interface Owned extends KubeObject {
  readonly metadata: KubeObject['metadata'] & { readonly ownerReferences?: Job['metadata']['ownerReferences'] };
}

const heldPod = async (scene: Scene): Promise<Owned> => {
  const namespace = scene.reached.walking?.namespace ?? '';
  const { items } = await scene.rig.environment.kubectl.json<{ readonly items: readonly Owned[] }>(
    'get',
    'pods',
    '--namespace',
    namespace,
  );
  const pod = items.find(({ metadata }) => metadata.uid === heldStep(scene).podUid);
  if (pod === undefined) throw new Error('the pod of the step is not there');
  return pod;
};

export const podDeleted = (...moments: readonly Moment[]): Fault => ({
  moments,
  fits: isHeld,
  strike: async (scene) => {
    const { metadata } = await heldPod(scene);
    const argv = [
      'delete',
      'pod',
      metadata.name,
      '--namespace',
      metadata.namespace ?? '',
      '--force',
      '--grace-period=0',
      '--wait=false',
    ];
    await scene.rig.environment.kubectl(...argv);
    return { what: `pod ${metadata.name} deleted`, heal: atOnce };
  },
});

export const jobDeleted = (...moments: readonly Moment[]): Fault => ({
  moments,
  fits: isHeld,
  strike: async (scene) => {
    const { metadata } = await heldPod(scene);
    const job = metadata.ownerReferences?.find(({ kind }) => kind === 'Job')?.name ?? '';
    const argv = ['delete', 'job', job, '--namespace', metadata.namespace ?? '', '--wait=false'];
    await scene.rig.environment.kubectl(...argv);
    return { what: `Job ${job} deleted`, heal: atOnce };
  },
});
