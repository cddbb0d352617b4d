// Who works on an attempt: the agents of a Council take turns, so that another attempt is another agent's.

import { MAX_AGENTS, type Council } from '../../crds/kinds/council.ts';
import { agentNames } from '../../crds/names.ts';
import type { Story } from '../../crds/kinds/story.ts';

/** At least one and at most nine, whatever the object says: it may be older than its schema. */
export const agentsOf = ({ spec }: Council): readonly string[] =>
  spec.agents.length > 0
    ? spec.agents.slice(0, MAX_AGENTS).map(({ name }) => name)
    : agentNames(spec.role, Math.min(MAX_AGENTS, Math.max(1, spec.size)));

/** The agent of attempt n; the role's first agent where no Council is seen any more. */
export const agentOfAttempt = (council: Council | undefined, role: string, n: number): string => {
  const names = council === undefined ? agentNames(role, 1) : agentsOf(council);
  return names[(n - 1) % names.length] ?? `agent-${role.toLowerCase()}-001`;
};

/** The Council that a Story names for the role, or else the namespace's default one; of several defaults the first by name. */
export const councilFor = (role: string, story: Story, councils: readonly Council[]): Council | undefined => {
  const named = story.spec.councils.find((choice) => choice.role === role)?.name;
  if (named !== undefined) return councils.find(({ metadata }) => metadata.name === named);
  return councils
    .filter(({ spec }) => spec.role === role && spec.default)
    .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))[0];
};
