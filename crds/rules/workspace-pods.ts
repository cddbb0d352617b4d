// Which pods are believed to be the workspace of a Job: those that the Job controller makes from a Job of ours. Everything here can be
// written by whoever may create pods; that nobody else does is for admission to see to, and a receipt is the second proof.
import { WORKSPACE_ACCOUNT } from '../contracts/steps.ts';
import { GROUP, type ObjectMeta } from '../kinds/meta.ts';

interface Made {
  readonly metadata: ObjectMeta;
}

export interface MadePod extends Made {
  readonly spec?: { readonly serviceAccountName?: string };
}

const isOurs = (label: string): boolean => label.startsWith(`${GROUP}/`);

/** The Job controller gives its pods the labels of the template, which are those of the Job. */
const sharesLabels = (pod: Made, job: Made): boolean =>
  Object.entries(job.metadata.labels ?? {}).every(([label, value]) => !isOurs(label) || pod.metadata.labels?.[label] === value);

const isOwnedBy = (pod: Made, { metadata }: Made): boolean => {
  const [owner, ...others] = pod.metadata.ownerReferences ?? [];
  const { apiVersion, kind, name, uid, controller } = owner ?? {};
  const isJob = apiVersion === 'batch/v1' && kind === 'Job' && controller === true;
  return others.length === 0 && isJob && name === metadata.name && uid === metadata.uid;
};

/** Account, name, labels and the one owner are those of a pod that the Job controller made for the Job. */
export const isPodOfJob = (pod: MadePod, job: Made): boolean =>
  pod.spec?.serviceAccountName === WORKSPACE_ACCOUNT &&
  pod.metadata.name.startsWith(`${job.metadata.name}-`) &&
  isOwnedBy(pod, job) &&
  sharesLabels(pod, job);
