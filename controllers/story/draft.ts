// The rules of phase Draft: the text is ready, the scope gate is open for exactly this text, the base commit is known. Then the
// scope is frozen and Design begins.

import { ANSWER_WITHIN_MS } from '../../crds/contracts/commands.ts';
import type { StoryStatus } from '../../crds/kinds/story.ts';
import type { Effect } from '../contract.ts';
import { reasonOr } from '../text.ts';
import { epochMs, untilMs } from '../../crds/time.ts';
import type { Rules } from '../rules.ts';
import { gateState } from './gates.ts';
import { resolveIdOf } from './observe.ts';
import { readiness } from './readiness.ts';
import type { StorySeen } from './seen.ts';
import { scopeOf, written, type Given, type Rule, type Words } from './status.ts';

const isDraft = ({ story }: StorySeen): boolean => (story.status?.phase ?? 'Draft') === 'Draft';

const held = (seen: StorySeen, now: number, words: Omit<Words, 'phase'>) => written(seen, now, { ...words, phase: 'Draft' });

const notReady: Rule = (seen, now) => {
  if (!isDraft(seen)) return undefined;
  const { score, threshold, findings } = readiness(seen.story.spec);
  if (score >= threshold) return undefined;
  const list = findings.map(({ code, message }) => `${code}: ${message}`).join('; ');
  const message = `waits for a clearer text: readiness ${score} of ${threshold} (${list})`;
  return held(seen, now, {
    reason: 'NotReady',
    message,
    conditions: [{ type: 'Ready', status: 'False', reason: 'NotReady', message }],
  });
};

const ready = { type: 'Ready', status: 'True', reason: 'Ready', message: 'the text passes' } as const;

const scopeShut: Rule = (seen, now) => {
  if (!isDraft(seen)) return undefined;
  const gate = gateState(seen, 'scope', scopeOf(seen));
  if (gate.kind === 'open') return undefined;
  const { name } = seen.story.metadata;
  const message =
    gate.kind === 'rejected'
      ? `waits for another text: ${gate.by} rejected the scope (${gate.reason})`
      : `waits for approval of the scope (kubectl fleet approve story ${name} --gate scope)`;
  const reason = gate.kind === 'rejected' ? 'ScopeRejected' : 'ScopeShut';
  return held(seen, now, { reason, message, conditions: [ready, { type: 'ScopeApproved', status: 'False', reason, message }] });
};

const opened = { type: 'ScopeApproved', status: 'True', reason: 'Approved', message: 'the scope gate is open' } as const;

const RETRY_BASE_MS = 5_000;
const REFUSED_BASE_MS = 60_000;
const RETRY_MAX_MS = 600_000;

/** When the question may be asked again after it was answered with a failure; the wait doubles up to 10 min. */
const askAgainAtMs = ({ answers }: StorySeen): number => {
  const last = answers.at(-1);
  if (last === undefined || last.ok) return 0;
  const baseMs = last.retryable ? RETRY_BASE_MS : REFUSED_BASE_MS;
  return (epochMs(last.at) ?? 0) + Math.min(RETRY_MAX_MS, baseMs * 2 ** Math.min(20, answers.length - 1));
};

const baseUnresolved: Rule = (seen, now) => {
  const { story, answers, storeAvailable } = seen;
  const last = answers.at(-1);
  if (!isDraft(seen) || last?.ok === true) return undefined;
  const { url, ref } = story.spec.repository;
  const failure = last === undefined ? '' : `; the last answer: ${last.reason}, ${last.message}`;
  const message = `waits for the commit of ${ref} in ${url}${failure}`;
  const atMs = askAgainAtMs(seen);
  const conditions = [
    ready,
    opened,
    {
      type: 'BaseResolved',
      status: 'False',
      reason: last === undefined ? 'Asked' : reasonOr(last.reason, 'ResolveFailed'),
      message,
    } as const,
  ];
  if (!storeAvailable) {
    const why = 'waits for JetStream, which carries the question for the base commit';
    const down = { type: 'StoreUnavailable', status: 'True', reason: 'StoreUnavailable', message: why } as const;
    return held(seen, now, { reason: 'StoreUnavailable', message: why, conditions: [...conditions, down] });
  }
  const outcome = { kind: 'waiting', afterMs: now < atMs ? untilMs(atMs, now) : ANSWER_WITHIN_MS } as const;
  const { namespace, uid } = story.metadata;
  const command = { id: resolveIdOf(story, answers.length), kind: 'resolve', namespace, storyUid: uid } as const;
  const effects: readonly Effect[] = now < atMs ? [] : [{ verb: 'command', command }];
  return held(seen, now, { reason: 'BaseUnresolved', message, outcome, effects, conditions });
};

const designBegins: Rule = (seen, now) => {
  const last = seen.answers.at(-1);
  if (!isDraft(seen) || last?.ok !== true) return undefined;
  const message = `waits for a Plan for story ${seen.story.metadata.name} (an object Plan with its name in spec.storyRef.name)`;
  return written(seen, now, {
    phase: 'Design',
    reason: 'ScopeApproved',
    message,
    fields: { baseCommit: last.commit, scopeDigest: scopeOf(seen) },
  });
};

export const draftRules: Rules<Given, StoryStatus> = [
  ['a draft waits for a text that is ready', notReady],
  ['a draft waits for its scope gate', scopeShut],
  ['a draft waits for its base commit', baseUnresolved],
  ['with all of that the scope is frozen and Design begins', designBegins],
];
