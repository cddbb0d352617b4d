// Which rules decided in a set of runs, and to which outcome: a rule that no run reaches is one that the simulation says nothing about.

import type { Controller, Outcome } from '../../controllers/contract.ts';
import { rules as councilRules } from '../../controllers/council/rules.ts';
import { rules as deliberationRules } from '../../controllers/deliberation/rules.ts';
import { rules as planRules } from '../../controllers/plan/rules.ts';
import { rules as storyRules } from '../../controllers/story/rules.ts';
import { rules as taskRules } from '../../controllers/task/rules.ts';

type AnyController = Controller<unknown, unknown>;

const sentencesOf = (rules: readonly (readonly [string, unknown])[]): readonly string[] => rules.map(([sentence]) => sentence);

/** Every rule of every kind, in the order of the lists. */
const ALL: readonly (readonly [kind: string, sentence: string])[] = [
  ['Story', sentencesOf(storyRules)] as const,
  ['Plan', sentencesOf(planRules)] as const,
  ['Task', sentencesOf(taskRules)] as const,
  ['Council', sentencesOf(councilRules)] as const,
  ['Deliberation', sentencesOf(deliberationRules)] as const,
].flatMap(([kind, sentences]) => sentences.map((sentence) => [kind, sentence] as const));

const OUTCOMES: readonly Outcome['kind'][] = ['done', 'waiting', 'stalled'];

/** How often, by kind, rule and outcome. */
export type Counts = Readonly<Record<string, number>>;

export class Coverage {
  readonly #counts: Record<string, number> = {};

  /** Controllers that decide as those do, and are counted. */
  around(controllers: readonly AnyController[]): readonly AnyController[] {
    return controllers.map((controller) => ({
      ...controller,
      decide: (seen, now) => {
        const decision = controller.decide(seen, now);
        this.#add(`${controller.kind}|${decision.rule ?? ''}|${decision.outcome.kind}`, 1);
        return decision;
      },
    }));
  }

  get counts(): Counts {
    return this.#counts;
  }

  add(counts: Counts): void {
    for (const [key, count] of Object.entries(counts)) this.#add(key, count);
  }

  /** Rules that never decided. */
  missing(): readonly string[] {
    return ALL.filter(([kind, sentence]) => OUTCOMES.every((outcome) => this.#count(kind, sentence, outcome) === 0)).map(
      ([kind, sentence]) => `${kind}: ${sentence}`,
    );
  }

  table(): string {
    const cells = (kind: string, sentence: string): string =>
      OUTCOMES.map((outcome) => String(this.#count(kind, sentence, outcome) || '·').padStart(9)).join('');
    const head = `${OUTCOMES.map((outcome) => outcome.padStart(9)).join('')}  rule`;
    return [head, ...ALL.map(([kind, sentence]) => `${cells(kind, sentence)}  ${kind}: ${sentence}`)].join('\n');
  }

  #count(kind: string, sentence: string, outcome: string): number {
    return this.#counts[`${kind}|${sentence}|${outcome}`] ?? 0;
  }

  #add(key: string, count: number): void {
    this.#counts[key] = (this.#counts[key] ?? 0) + count;
  }
}
