// What is judged of a proposal or a plan by itself, before any agent has an opinion of it: may it touch what it names, and does it say what a
// proposal should. Pure. What does not apply is absent, never passed: who names no path cannot be told to keep to the scope.
import type { SharedBrief } from '../../crds/contracts/turn-brief.ts';
import type { CheckCounts } from '../../crds/contracts/turns.ts';
import type { Artifact, Proposal, ProposedPlan } from '../../crds/deliberation/artifacts.ts';
import { pathMatcher, samplesOf } from '../../crds/rules/path-globs.ts';

export interface TextChecks {
  readonly policy?: CheckCounts;
  readonly lint: CheckCounts;
}

/** All who judge read it, beside those of up to eight others. */
const MAX_TEXT_BYTES = 64 * 1024;
const WHOLE_REPOSITORY = '**';

const countsOf = (errors: number, warnings: number): CheckCounts => ({ passed: errors === 0, errors, warnings });

/** undefined: neither a proposal nor a plan. `text` is what is kept of it. */
export const checksOf = (shared: SharedBrief, artifact: Artifact, text: string): TextChecks | undefined => {
  if (artifact.kind !== 'proposal' && artifact.kind !== 'plan') return undefined;
  const policy = policyOf(shared, artifact, Buffer.byteLength(text) > MAX_TEXT_BYTES);
  const warnings = artifact.kind === 'proposal' ? proposalWarnings(artifact.value) : planWarnings(artifact.value);
  return { ...(policy && { policy }), lint: countsOf(0, warnings) };
};

type Judged = Extract<Artifact, { kind: 'proposal' | 'plan' }>;

const policyOf = ({ fileScope, protectedPaths }: SharedBrief, artifact: Judged, isTooLarge: boolean): CheckCounts | undefined => {
  const named = artifact.kind === 'proposal' ? artifact.value.files : scopesIn(artifact.value, fileScope);
  if (named.length === 0 && !isTooLarge) return undefined;
  const isAllowed = allowance({ fileScope, protectedPaths });
  return countsOf(named.filter((path) => !isAllowed(path)).length + (isTooLarge ? 1 : 0), 0);
};

/** A task without a scope may change everything, which is too much where there is a scope to keep to. */
const scopesIn = ({ tasks }: ProposedPlan, fileScope: readonly string[]): readonly string[] =>
  tasks.flatMap((task) => (task.fileScope.length === 0 && fileScope.length > 0 ? [WHOLE_REPOSITORY] : task.fileScope));

/** Of a glob: all that it matches lies in the scope, and not all of it is protected. What a patch does to single files is judged of the patch. */
const allowance = ({ fileScope, protectedPaths }: Pick<SharedBrief, 'fileScope' | 'protectedPaths'>) => {
  const isProtected = pathMatcher(protectedPaths, { ignoreCase: true });
  const isInScope = fileScope.length === 0 ? () => true : pathMatcher(fileScope);
  return (named: string): boolean => {
    if (leavesRepository(named)) return false;
    const samples = named.includes('*') ? samplesOf(named) : [named];
    return samples.every(isInScope) && !samples.every(isProtected);
  };
};

const leavesRepository = (path: string): boolean => path.startsWith('/') || path.split('/').includes('..');

const count = (...signs: readonly boolean[]): number => signs.filter((sign) => sign).length;

const proposalWarnings = ({ steps, files, tests }: Proposal): number =>
  count(steps.length === 0, files.length === 0, tests.length === 0);

const planWarnings = ({ tasks }: ProposedPlan): number =>
  tasks.reduce((sum, { description, verify }) => sum + count(description.trim() === '', verify.commands.length === 0), 0);
