// What the API server refused, or why it did not answer, in words for a person. Pure.

import type { ApiError } from '../kube/error.ts';
import { GROUP } from '../crds/kinds/meta.ts';
import { Failure } from './failure.ts';
import { oneLine } from './text.ts';

/** A refusal or failure in words for a person, and what may help. */
export const failureOf = (error: ApiError): Failure => {
  const denied = /denied request: ([^]*)$/.exec(error.message)?.[1];
  if (denied !== undefined) return new Failure(`refused: ${oneLine(denied)}`);
  if (error.code === 401)
    return new Failure('the API server does not know you', 'Are your credentials still valid?  kubectl auth whoami');
  if (error.code === 403)
    return new Failure(
      `you may not: ${oneLine(error.message)}`,
      'Ask for a role of the chart: author, approver, viewer or auditor.',
    );
  if (error.code === 404 && error.request.includes(` /apis/${GROUP}/`))
    return new Failure('this cluster does not know swe-fleet', 'Another context? Or: helm install swe-fleet charts/swe-fleet');
  if (error.code === undefined)
    return new Failure(`the API server cannot be reached: ${oneLine(error.message)}`, 'See: kubectl cluster-info');
  return new Failure(oneLine(error.message));
};
