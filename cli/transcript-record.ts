// A Deliberation as its transcript reads it: the object, the texts that were fetched, and what lies between. Pure.

import { RULES_VERSION } from '../crds/deliberation/rigor.ts';
import { artifactOf } from '../crds/deliberation/artifacts.ts';
import { workingsOf, type Workings } from '../crds/deliberation/workings.ts';
import type { Contribution } from '../crds/deliberation/contributions.ts';
import type { Pinned } from '../crds/deliberation/seats.ts';
import { code, inline, quoted } from '../crds/deliberation/markdown.ts';
import type { Deliberation } from '../crds/kinds/deliberation.ts';
import { duration, plural } from './text.ts';

/** By digest; undefined: it is no longer kept; absent: nobody asked for it. */
export type Texts = ReadonlyMap<string, string | undefined>;

export interface Recorded {
  readonly deliberation: Deliberation;
  readonly pinned: Pinned;
  readonly contributions: readonly Contribution[];
  readonly texts: Texts;
  /** undefined: rules of another version made it, by which nothing is worked out here. */
  readonly workings: Workings | undefined;
}

/** undefined: no turn was asked for. */
export const recordOf = (deliberation: Deliberation, texts: Texts): Recorded | undefined => {
  const { pinned, contributions = [] } = deliberation.status ?? {};
  if (pinned === undefined) return undefined;
  const workings = pinned.rules === RULES_VERSION ? workingsOf(pinned, contributions) : undefined;
  return { deliberation, pinned, contributions, texts, workings };
};

/** Digests of the texts that a transcript shows. What the architect wrote stands in the status. */
export const shownTexts = ({ status }: Deliberation): readonly string[] => [
  ...new Set(
    (status?.contributions ?? []).flatMap(({ kind, outcome, digest }) =>
      digest === undefined || outcome !== 'Answered' || kind === 'Selection' ? [] : [digest],
    ),
  ),
];

export const ofKind = ({ contributions }: Recorded, kind: Contribution['kind'], round?: number): readonly Contribution[] =>
  contributions.filter((each) => each.kind === kind && (round === undefined || each.round === round));

/** Parts of a line, without those that there are not. */
export const joined = (parts: readonly (string | undefined)[]): string =>
  parts.filter((part) => part !== undefined && part !== '').join(' · ');

const spent = ({ tokens, durationMs }: Contribution): readonly (string | undefined)[] => [
  tokens === undefined ? undefined : plural(tokens, 'token'),
  durationMs === undefined ? undefined : duration(durationMs),
];

interface Check {
  readonly passed: boolean;
  readonly errors?: number | undefined;
  readonly warnings?: number | undefined;
}

export const checkWords = ({ passed, errors = 0, warnings = 0 }: Check): string => {
  const counts = [...(errors === 0 ? [] : [plural(errors, 'error')]), ...(warnings === 0 ? [] : [plural(warnings, 'warning')])];
  return `${passed ? 'passed' : 'failed'}${counts.length === 0 ? '' : ` (${counts.join(', ')})`}`;
};

const checksOf = ({ checks }: Contribution): readonly string[] =>
  (['policy', 'lint'] as const).flatMap((name) => {
    const check = checks?.[name];
    return check === undefined ? [] : [`${name} ${checkWords(check)}`];
  });

const digestOf = ({ digest }: Contribution): string | undefined => (digest === undefined ? undefined : code(digest));

/** What came of a turn, in a line. */
export const turnLine = (turn: Contribution): string => {
  const why = inline(turn.reason ?? 'no reason is recorded');
  if (turn.outcome === 'Answered') return joined([digestOf(turn), ...spent(turn), ...checksOf(turn)]);
  if (turn.outcome === 'Failed') return joined([`**Failed**: ${why}`, digestOf(turn), ...spent(turn)]);
  const late = turn.late ? joined(['An answer came later and counts for nothing', digestOf(turn), ...spent(turn)]) : undefined;
  return joined([`**Timed out**: ${why}`, late]);
};

/** The text of a turn as `show` has it. What is no artifact is quoted besides: most people read this page as it is, where a fence is soon missed. */
export const textOf = ({ texts }: Recorded, digest: string | undefined, show: (text: string) => string): string => {
  if (digest === undefined || !texts.has(digest)) return '';
  const text = texts.get(digest);
  if (text === undefined) return '*This text has expired: the gateway no longer has it.*';
  const markdown = show(text).trimEnd();
  return artifactOf(text) === undefined ? quoted(markdown) : markdown;
};

/** `A is agent-dev-002, B is …` */
export const lettersLine = (letters: ReadonlyMap<string, string>): string =>
  [...letters].map(([letter, agent]) => `${letter} is ${inline(agent)}`).join(', ');
