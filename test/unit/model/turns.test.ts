// The scripted model answers every kind of turn as its schema wants it: councils deliberate with it in demo and tests.
import { describe, expect, it } from 'vitest';
import { answerIn } from '../../../agent/turns/answer.ts';
import { turnPrompt } from '../../../agent/turns/prompt.ts';
import { shapeOf } from '../../../agent/turns/shapes.ts';
import { DEFAULT_TEMPLATES } from '../../../agent/turns/templates.ts';
import { nextStep } from '../../model/player.ts';
import { brief as briefOf } from '../agent/turns/turns.ts';

describe('the scripted model', () => {
  it.each([
    ['Proposal', []],
    ['Critique', ['proposal']],
    ['Revision', ['own', 'critique-1']],
    ['Score', ['A', 'B']],
    ['Score', ['A']],
    ['Selection', ['A', 'B', 'C']],
  ] as const)('answers a turn of kind %s about %j', (kind, labels) => {
    const brief = briefOf(kind);
    const shape = shapeOf(brief, labels);
    const { system, user } = turnPrompt(
      DEFAULT_TEMPLATES,
      brief,
      labels.map((label) => ({ label, text: `text of ${label}` })),
    );
    const { step } = nextStep(
      {
        messages: [
          { role: 'system', content: system },
          { role: 'user', content: user },
        ],
        response_format: { type: 'json_schema', json_schema: { schema: shape.format.schema } },
      },
      [],
    );
    expect(answerIn(step.say ?? '', shape.schema)).toMatchObject({ ok: true });
  });
});
