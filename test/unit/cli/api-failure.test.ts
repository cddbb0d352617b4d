import { describe, expect, it } from 'vitest';
import { failureOf } from '../../../cli/api-failure.ts';
import { ApiError, type ApiFailure } from '../../../kube/error.ts';

const LIST = 'GET /apis/swefleet.io/v1alpha1/namespaces/shop/stories';
const cases: readonly {
  readonly given: string;
  readonly failure: Partial<ApiFailure>;
  readonly says: RegExp;
  readonly hint: RegExp;
}[] = [
  {
    given: 'a cluster without our kinds',
    failure: { request: LIST, code: 404, message: '404' },
    says: /does not know swe-fleet/,
    hint: /helm install/,
  },
  {
    given: 'something else that is not there',
    failure: { request: 'GET /api/v1/pods/p', code: 404, message: 'pods "p" not found' },
    says: /pods "p" not found/,
    hint: /^$/,
  },
  { given: 'an expired login', failure: { code: 401 }, says: /does not know you/, hint: /kubectl auth whoami/ },
  { given: 'a missing right', failure: { code: 403, message: 'cannot list' }, says: /you may not: .*cannot list/, hint: /role/ },
  {
    given: 'a refusal by a policy',
    failure: { code: 422, message: "admission policy 'p' denied request: the author approves\nnothing" },
    says: /^refused: the author approves nothing$/,
    hint: /^$/,
  },
  { given: 'no answer', failure: { sort: 'transient' }, says: /cannot be reached/, hint: /kubectl cluster-info/ },
];

describe('what the API server refused, in words', () => {
  it.each(cases)('$given', ({ failure, says, hint }) => {
    const told = failureOf(new ApiError({ sort: 'terminal', request: LIST, message: 'no', ...failure }));
    expect(told.message).toMatch(says);
    expect(told.hint ?? '').toMatch(hint);
  });
});
