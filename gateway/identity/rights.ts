// The table of rights: who may use what, and which audiences are therefore asked for. The rows are crds' own; a right that no row
// names cannot be used by anybody.

import {
  ARTIFACTS_READ_AUDIENCE,
  audienceOf,
  POOL_AUDIENCE,
  STEP_RIGHTS,
  TOKEN_STEPS,
  type Right,
  type Step,
} from '../../crds/contracts/steps.ts';
import type { Caller, StepCaller } from './caller.ts';
import { Refusal } from '../http/refusal.ts';

export type { Right } from '../../crds/contracts/steps.ts';

const READER_RIGHTS: readonly Right[] = ['artifact-get'];
const POOL_RIGHTS: readonly Right[] = ['turn'];

const rightsOf = (step: Step): readonly Right[] => STEP_RIGHTS[step];

const rightsOfCaller = (caller: Caller): readonly Right[] => {
  switch (caller.kind) {
    case 'reader':
      return READER_RIGHTS;
    case 'pool':
      return POOL_RIGHTS;
    case 'step':
      return rightsOf(caller.step);
  }
};

export const mayUse = (caller: Caller, right: Right): boolean => rightsOfCaller(caller).includes(right);

/** Every audience that the gateway knows: each step's, the reader's and the pool's. */
export const AUDIENCES: readonly string[] = [...TOKEN_STEPS.map(audienceOf), ARTIFACTS_READ_AUDIENCE, POOL_AUDIENCE];

export const stepOfAudience = (audience: string): Step | undefined => TOKEN_STEPS.find((step) => audienceOf(step) === audience);

/** The caller as a step; the routes of steps are not for readers, whatever the table says. */
export const stepOf = (caller: Caller): StepCaller => {
  if (caller.kind === 'step') return caller;
  throw new Refusal(403, 'StepNotAllowed', 'this route is for steps of workspaces');
};
