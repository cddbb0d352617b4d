// All steps by the word on the command line.
import type { RunnerCommand } from '../../crds/steps.ts';
import type { Step } from '../step.ts';
import { checkout } from './checkout.ts';
import { courierSetup } from './courier-setup.ts';
import { courierVerify } from './courier-verify.ts';
import { merge } from './merge.ts';
import { push } from './push.ts';
import { report } from './report.ts';
import { runner } from './runner.ts';
import { setup } from './setup.ts';
import { verify } from './verify.ts';
import { verifySetup } from './verify-setup.ts';
import { work } from './work.ts';

export const steps: Readonly<Record<RunnerCommand, Step>> = {
  runner,
  checkout,
  setup,
  work,
  'verify-setup': verifySetup,
  verify,
  report,
  merge,
  'courier-setup': courierSetup,
  'courier-verify': courierVerify,
  push,
};
