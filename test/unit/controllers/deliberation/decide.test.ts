import { describe, expect, it } from 'vitest';
import { decideDeliberation } from '../../../../controllers/deliberation/decide.ts';
import { deliberation, NOW } from '../../../builders/objects.ts';
import { spec } from '../../../builders/spec.ts';

const question = deliberation();

describe('the decision about a Deliberation', () => {
  it('keeps it, says that it is not served yet, and says so once', () => {
    const first = decideDeliberation({ deliberation: question, cursor: undefined }, NOW);
    expect(spec(first)).toEqual({ writes: ['status Pending Served=False/NotServed'], outcome: 'waiting' });
    const again = { ...question, ...(first.status && { status: first.status }) };
    expect(decideDeliberation({ deliberation: again, cursor: undefined }, NOW + 60_000).status).toEqual(first.status);
  });
});
