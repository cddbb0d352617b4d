// One turn: what the model is asked, what becomes of its answer, and what when it does not answer as it should.
import { describe, expect, it } from 'vitest';
import type { ModelEnd } from '../../../../agent/model.ts';
import { DEFAULT_TEMPLATES } from '../../../../agent/turns/templates.ts';
import { takeTurn, type TurnEnd } from '../../../../agent/turns/turn.ts';
import { canonicalJson } from '../../../../crds/canonical.ts';
import type { TurnBrief } from '../../../../crds/contracts/turn-brief.ts';
import type { TurnKind } from '../../../../crds/contracts/turns.ts';
import { brief, critique, plan, planBrief, planned, playing, proposal, reply, scores, selection, texts } from './turns.ts';

const INPUTS = {
  ...{ Proposal: [], Critique: texts.proposal, Revision: texts.revision },
  ...{ Score: texts.ab, Selection: texts.ab },
};

const take = async (of: TurnBrief, ...ends: readonly ModelEnd[]) => {
  const { model, asked } = playing(...ends);
  const turn = { brief: of, texts: INPUTS[of.place.kind], templates: DEFAULT_TEMPLATES };
  return { end: await takeTurn(turn, { model, remainingMs: () => 1_000 - asked.length }), asked };
};
const json = (value: unknown): ModelEnd => reply(JSON.stringify(value, null, 2));

describe('a turn that is answered', () => {
  const fine = { passed: true, errors: 0, warnings: 0 };
  const revision = { ...proposal, files: ['.github/workflows/x.yml'], changes: ['None.'] };
  const filled = plan.tasks.map((task) => ({ ...task, priority: 0, constraints: { rubric: [], requirements: [] } }));
  it.each<[string, TurnBrief, object, Partial<TurnEnd>]>([
    ['a proposal with its checks', brief('Proposal'), proposal, { checks: { policy: fine, lint: fine } }],
    [
      'a revision with its checks',
      brief('Revision'),
      revision,
      { checks: { policy: { passed: false, errors: 1, warnings: 0 }, lint: fine } },
    ],
    ['a critique', brief('Critique'), critique, {}],
    [
      'scores by the labels that were asked about',
      brief('Score'),
      scores,
      {
        scores: [
          { label: 'A', points: [700, 400] },
          { label: 'B', points: [600, 900] },
        ],
      },
    ],
    [
      'a choice with its reasons',
      brief('Selection'),
      selection,
      { choice: { label: 'B', rationale: selection.rationale, dissent: selection.dissent } },
    ],
  ])('gives %s, and the text in its canonical form', async (_title, of, value, want) => {
    const { end } = await take(of, json(value));
    expect(end).toEqual({ ok: true, text: canonicalJson(value), ...want, tokens: 100, calls: 1 });
  });

  it('gives a plan with everything that a task has', async () => {
    const { end } = await take(planBrief('Proposal'), json(plan));
    const text = canonicalJson({ rationale: plan.rationale, tasks: filled });
    expect(end).toEqual({ ok: true, text, checks: { policy: fine, lint: fine }, tokens: 100, calls: 1 });
  });

  it('gives the same text whatever the order and the spaces of the answer', async () => {
    const turned = JSON.stringify(Object.fromEntries(Object.entries(proposal).toReversed()));
    const [a, b] = [await take(brief('Proposal'), json(proposal)), await take(brief('Proposal'), reply(turned))];
    expect(a.end).toEqual(b.end);
  });

  it('takes an answer that was cut after its object had ended', async () => {
    const { end } = await take(brief('Critique'), reply(`${JSON.stringify(critique)}\nBesides, I`, { cut: true }));
    expect(end).toMatchObject({ ok: true, calls: 1 });
  });
});

describe('what the model is asked', () => {
  it('is prompt and format, for as long as there is time, and nothing of tools', async () => {
    const { asked } = await take(brief('Score'), json(scores));
    expect(asked).toEqual([
      {
        messages: [
          { role: 'system', content: DEFAULT_TEMPLATES.rules },
          { role: 'user', content: expect.stringContaining('# The question') as string },
        ],
        format: { name: 'scores', schema: expect.objectContaining({ type: 'object' }) as object },
        timeoutMs: 1_000,
      },
    ]);
  });

  it('can be called off', async () => {
    const { signal } = new AbortController();
    const { model, asked } = playing(json(critique));
    const turn = { brief: brief('Critique'), texts: texts.proposal, templates: DEFAULT_TEMPLATES };
    await takeTurn(turn, { model, remainingMs: () => 1, signal });
    expect(asked[0]?.signal).toBe(signal);
  });

  const formatOf = async (of: TurnBrief, value: object) => (await take(of, json(value))).asked[0]?.format?.schema;
  it('has a schema that names exactly the labels and the number of criteria', async () => {
    expect(await formatOf(brief('Score'), scores)).toEqual({
      type: 'object',
      properties: {
        scores: {
          ...{ type: 'array', minItems: 2, maxItems: 2 },
          items: {
            type: 'object',
            properties: {
              proposal: { type: 'string', enum: ['A', 'B'] },
              points: { type: 'array', minItems: 2, maxItems: 2, items: { type: 'integer', minimum: 0, maximum: 1000 } },
              reason: { type: 'string', minLength: 1 },
            },
            required: ['proposal', 'points', 'reason'],
            additionalProperties: false,
          },
        },
      },
      required: ['scores'],
      additionalProperties: false,
    });
  });

  /** Every schema within a schema. */
  const partsOf = (schema: unknown): readonly Record<string, unknown>[] =>
    typeof schema !== 'object' || schema === null
      ? []
      : [schema as Record<string, unknown>, ...Object.values(schema).flatMap(partsOf)];

  it.each<[string, TurnBrief, object]>([
    ['a proposal', brief('Proposal'), proposal],
    ['a revision', brief('Revision'), { ...proposal, changes: [] }],
    ['a plan', planBrief('Proposal'), plan],
    ['a revised plan', planBrief('Revision'), { ...plan, changes: [] }],
    ['a critique', brief('Critique'), critique],
    ['scores', brief('Score'), scores],
    ['a selection', brief('Selection'), selection],
  ])('has, for %s, a schema of closed objects and bounded lists that a grammar can be made of', async (_title, of, value) => {
    const parts = partsOf(await formatOf(of, value));
    const objects = parts.filter(({ type }) => type === 'object');
    expect(objects.length).toBeGreaterThan(0);
    for (const { properties, required, additionalProperties } of objects) {
      expect(additionalProperties).toBe(false);
      expect(required).toEqual(Object.keys(properties as object));
    }
    for (const { maxItems } of parts.filter(({ type }) => type === 'array')) expect(maxItems).toBeLessThanOrEqual(64);
    const words = new Set(parts.flatMap((part) => Object.keys(part)));
    for (const word of ['maxLength', 'pattern', 'format', '$ref', 'anyOf', 'oneOf', '$schema']) expect(words).not.toContain(word);
  });
});

describe('an answer that cannot be used', () => {
  const wrong = json({ scores: [{ ...scores.scores[0], points: [1001, 0] }, scores.scores[1]] });

  it('is asked for once more, in words that quote what was wrong', async () => {
    const { end, asked } = await take(brief('Score'), wrong, json(scores));
    expect(end).toMatchObject({ ok: true, tokens: 200, calls: 2 });
    const [first, second] = asked;
    expect(second?.messages.slice(0, 2)).toEqual(first?.messages);
    expect(second?.messages.slice(2)).toEqual([
      { role: 'assistant', content: wrong.kind === 'reply' ? wrong.text : '' },
      {
        role: 'user',
        content: expect.stringMatching(/^Your answer could not be used\.[\s\S]*scores\[0\]\.points\[0\]/) as string,
      },
    ]);
    expect(second?.timeoutMs).toBe(999);
  });

  it.each<[string, ModelEnd, string]>([
    ['that is empty', reply(''), 'the answer is empty'],
    ['of nothing but thoughts', reply('<think>hm'), 'the answer is empty'],
    ['that calls a tool', reply('', { calls: [{ id: '1', name: 'score', args: '{}' }] }), 'a tool was called'],
    ['that was cut', reply('{"scores":[', { cut: true }), 'cut at the length limit'],
    ['of half a surrogate pair', reply('\ud83d'), 'no JSON object'],
  ])('%s goes back with its problem, as a text that every server takes', async (_title, given, problem) => {
    const { end, asked } = await take(brief('Score'), given, json(scores));
    expect(end).toMatchObject({ ok: true, calls: 2 });
    const [, , answer, question] = asked[1]?.messages ?? [];
    expect(answer?.content).toSatisfy((content) => typeof content === 'string' && content !== '' && content.isWellFormed());
    expect(question?.content).toContain(problem);
  });

  it('goes back no longer than its author can bear', async () => {
    const { asked } = await take(brief('Score'), reply('x'.repeat(100_000)), json(scores));
    expect(asked[1]?.messages[2]?.content).toHaveLength(8_000);
  });

  it.each<[string, TurnBrief, readonly ModelEnd[], string]>([
    ['is a failure', brief('Score'), [wrong, wrong], 'AnswerInvalid'],
    [
      'is a failure when it is a plan that does not hold',
      planBrief('Proposal'),
      [json({ ...plan, tasks: [planned, planned] }), reply('')],
      'AnswerInvalid',
    ],
    ['is a failure of its own when it was cut', brief('Score'), [wrong, reply('{"scores":', { cut: true })], 'AnswerCut'],
    ['is one that is no longer cut, but wrong', brief('Score'), [reply('{', { cut: true }), wrong], 'AnswerInvalid'],
  ])('twice %s', async (_title, of, ends, reason) => {
    const { end, asked } = await take(of, ...ends);
    expect(end).toEqual({ ok: false, reason, message: expect.any(String) as string, tokens: 200, calls: 2 });
    expect(asked).toHaveLength(2);
  });
});

describe('a model that does not answer', () => {
  const lost = { kind: 'unavailable', message: '503: busy', lasting: false } as const;
  const refused = { kind: 'unavailable', message: `403: ${'x'.repeat(2_000)}`, lasting: true } as const;
  const spent = { kind: 'budget', message: 'nothing is left' } as const;
  const tooLong = { kind: 'tooLong', message: 'too long' } as const;
  it.each<[string, readonly ModelEnd[], object]>([
    ['because it was not to be had, is asked later', [lost], { later: '503: busy' }],
    ['the second time, is asked later', [reply('no'), lost], { later: '503: busy' }],
    [
      'because it may not, has refused',
      [refused],
      { ok: false, reason: 'ModelRefused', message: refused.message.slice(0, 1_024), tokens: 0, calls: 1 },
    ],
    [
      'and says so, has refused',
      [reply('', { refusal: 'I will not.' })],
      { ok: false, reason: 'ModelRefused', message: 'I will not.', tokens: 100, calls: 1 },
    ],
    ['because nobody pays, has spent the budget', [spent], { reason: 'BudgetSpent', message: 'nothing is left', tokens: 0 }],
    ['for want of money the second time, too', [reply('no'), spent], { ok: false, reason: 'BudgetSpent', tokens: 100, calls: 2 }],
    ['to what is too long, says that', [tooLong], { ok: false, reason: 'PromptTooLong', message: 'too long', calls: 1 }],
  ])('%s', async (_title, ends, want) => {
    expect((await take(brief('Score'), ...ends)).end).toMatchObject(want);
  });
});

describe('a turn without the texts that it is about', () => {
  it.each<[TurnKind, readonly string[]]>([
    ['Critique', []],
    ['Revision', []],
    ['Score', []],
    ['Selection', []],
    ['Score', ['A', 'A']],
  ])('is not asked: %s of %j', async (kind, labels) => {
    const { model, asked } = playing();
    const turn = { brief: brief(kind), texts: labels.map((label) => ({ label, text: 't' })), templates: DEFAULT_TEMPLATES };
    const end = await takeTurn(turn, { model, remainingMs: () => 1 });
    expect(end).toMatchObject({ ok: false, reason: 'InputsInvalid', tokens: 0, calls: 0 });
    expect(asked).toEqual([]);
  });
});
