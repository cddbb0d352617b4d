// One turn of a Deliberation: the model is asked, its answer is read, and one that cannot be used is asked for once more. May: call the model that
// it is given. Whatever comes of it is data; an answer is whole and valid, or it is a failure.
import { canonicalJson } from '../../crds/canonical.ts';
import type { TurnBrief } from '../../crds/contracts/turn-brief.ts';
import type { TurnResult } from '../../crds/contracts/turns.ts';
import type { Artifact } from '../../crds/deliberation/artifacts.ts';
import { MESSAGE_LENGTH } from '../../crds/kinds/meta.ts';
import type { Conversation, Model, ModelEnd } from '../model.ts';
import { answerIn, type Answer } from './answer.ts';
import { checksOf } from './checks.ts';
import { turnPrompt, type LabelledText } from './prompt.ts';
import { shapeOf, type Shape } from './shapes.ts';
import type { PromptTemplates } from './templates.ts';

export interface TurnPorts {
  readonly model: Model;
  /** How long the turn may still take. */
  readonly remainingMs: () => number;
  readonly signal?: AbortSignal;
}

export interface Turn {
  readonly brief: TurnBrief;
  readonly texts: readonly LabelledText[];
  readonly templates: PromptTemplates;
}

/** What was spent, whatever came of it. */
interface Spent {
  readonly tokens: number;
  readonly calls: number;
}

type AnsweredFields = Pick<Extract<TurnResult, { ok: true }>, 'checks' | 'scores' | 'choice'>;
export type FailureReason = 'AnswerInvalid' | 'AnswerCut' | 'BudgetSpent' | 'PromptTooLong' | 'ModelRefused' | 'InputsInvalid';

export type TurnEnd =
  | ({ readonly ok: true; readonly text: string } & AnsweredFields & Spent)
  | ({ readonly ok: false; readonly reason: FailureReason; readonly message: string } & Spent)
  /** The model was not to be had in time: nobody's failure. */
  | { readonly later: string };

const TRIES = 2;
/** As much of a useless answer as its author is shown again. */
const SHOWN_CHARACTERS = 8_000;

export const takeTurn = async ({ brief, texts, templates }: Turn, ports: TurnPorts): Promise<TurnEnd> => {
  const labels = texts.map(({ label }) => label);
  if (!hasInputs(brief, labels))
    return failed('InputsInvalid', 'there is no text that the turn is about, or there are two of one label', NOTHING);
  const shape = shapeOf(brief, labels);
  const { system, user } = turnPrompt(templates, brief, texts);
  let messages: Conversation['messages'] = [
    { role: 'system', content: system },
    { role: 'user', content: user },
  ];
  let spent: Spent = NOTHING;
  for (;;) {
    const end = await ask(ports, shape, messages);
    spent = { tokens: spent.tokens + (end.kind === 'reply' ? end.tokens : 0), calls: spent.calls + 1 };
    if (end.kind !== 'reply') return endedBy(end, spent);
    if (end.refusal !== undefined) return failed('ModelRefused', end.refusal, spent);
    const answer = read(end, shape);
    if (answer.ok) return answered(brief, answer.value, spent);
    if (spent.calls >= TRIES) return failed(end.cut ? 'AnswerCut' : 'AnswerInvalid', answer.problem, spent);
    messages = [...messages, ...again(templates, end, answer.problem)];
  }
};

const NOTHING: Spent = { tokens: 0, calls: 0 };

const hasInputs = ({ place: { kind } }: TurnBrief, labels: readonly string[]): boolean =>
  kind === 'Proposal' || (labels.length > 0 && new Set(labels).size === labels.length);

const ask = ({ model, remainingMs, signal }: TurnPorts, { format }: Shape, messages: Conversation['messages']) =>
  model({ messages, format, timeoutMs: remainingMs(), ...(signal && { signal }) });

type Reply = Extract<ModelEnd, { kind: 'reply' }>;

/** An answer that was cut after its object had ended is whole. */
const read = ({ text, calls, cut }: Reply, { schema }: Shape): Answer<Artifact> => {
  const answer = answerIn(text, schema);
  if (answer.ok) return answer;
  if (cut) return { ok: false, problem: `the answer was cut at the length limit, so write less; ${answer.problem}` };
  return text.trim() === '' && calls.length > 0 ? CALLED_TOOLS : answer;
};

const CALLED_TOOLS: Answer<Artifact> = { ok: false, problem: 'a tool was called, and there are none: the answer is the text' };

const again = ({ retry }: PromptTemplates, { text }: Reply, problem: string): Conversation['messages'] => [
  // some servers refuse a message without content
  { role: 'assistant', content: text.slice(0, SHOWN_CHARACTERS).toWellFormed() || '(nothing)' },
  { role: 'user', content: `${retry}\n\n${problem}` },
];

const failed = (reason: FailureReason, message: string, spent: Spent): TurnEnd => ({
  ...{ ok: false, reason },
  message: message.slice(0, MESSAGE_LENGTH).toWellFormed(),
  ...spent,
});

const endedBy = (end: Exclude<ModelEnd, Reply>, spent: Spent): TurnEnd => {
  switch (end.kind) {
    case 'budget':
      return failed('BudgetSpent', end.message, spent);
    case 'tooLong':
      return failed('PromptTooLong', end.message, spent);
    case 'unavailable':
      return end.lasting ? failed('ModelRefused', end.message, spent) : { later: end.message };
  }
};

const answered = ({ shared }: TurnBrief, artifact: Artifact, spent: Spent): TurnEnd => {
  const text = canonicalJson(artifact.value);
  const checks = checksOf(shared, artifact, text);
  return { ok: true, text, ...(checks && { checks }), ...told(artifact), ...spent };
};

/** What the result says of an artifact besides its digest. */
const told = (artifact: Artifact): AnsweredFields => {
  if (artifact.kind === 'scores')
    return { scores: artifact.value.scores.map(({ proposal, points }) => ({ label: proposal, points })) };
  if (artifact.kind !== 'selection') return {};
  const { choice, rationale, dissent } = artifact.value;
  return { choice: { label: choice, rationale, dissent } };
};
