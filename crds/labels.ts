// Labels and annotations, in one place.
import { GROUP } from './kinds/meta.ts';

export const LABEL_WORKSPACE = `${GROUP}/workspace`;
export const LABEL_STORY = `${GROUP}/story`;
export const LABEL_TASK = `${GROUP}/task`;
export const LABEL_ATTEMPT = `${GROUP}/attempt`;
export const LABEL_CANDIDATE = `${GROUP}/candidate`;
/** Number of the try of a courier; 1 for every other Job. */
export const LABEL_TRY = `${GROUP}/try`;
/** GPUs of a workspace; absent: none. */
export const LABEL_GPUS = `${GROUP}/gpus`;
/** The name of the Job, on it and on its pods; what the Job selects its pods by. */
export const LABEL_JOB = `${GROUP}/job`;
export const LABEL_NETWORK = `${GROUP}/network`;
export const LABEL_MANAGED_BY = 'app.kubernetes.io/managed-by';
export const MANAGED_BY = 'swe-fleet';
export const FIELD_MANAGER = 'swe-fleet-operator';

/** What a workspace pod is for. */
export type WorkspaceKind = 'attempt' | 'courier' | 'reader';
