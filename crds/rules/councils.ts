// Which Council serves a Task, and which agent of it works on an attempt: the agents take turns, so that another attempt is another agent's.
import { MAX_AGENTS, type Council } from '../kinds/council.ts';
import type { Story } from '../kinds/story.ts';
import { agentNames } from '../names.ts';
import { personaOf, temperatureOf } from './personas.ts';

/** An agent with the Council's model settings already laid under its own. */
export interface Agent {
  readonly name: string;
  readonly persona?: string;
  readonly model: string;
  /** A decimal string, such as "0.7". */
  readonly temperature: string;
  /** Most tokens of one answer. */
  readonly maxTokens: number;
}

const byName = (a: Council, b: Council): number => (a.metadata.name < b.metadata.name ? -1 : 1);

/** The name of the Council that a Story chose for the role, if it chose one. */
export const councilNameOf = (role: string, story: Story): string | undefined =>
  story.spec.councils.find((choice) => choice.role === role)?.name;

/** The namespace's default Council of that role, of several the first by name. */
export const defaultCouncil = (role: string, councils: readonly Council[]): Council | undefined =>
  councils.filter(({ spec }) => spec.role === role && spec.default).toSorted(byName)[0];

/** The Council that the Story names for the role, else the namespace's default one of that role. */
export const councilFor = (role: string, story: Story, councils: readonly Council[]): Council | undefined => {
  const named = councilNameOf(role, story);
  if (named !== undefined) return councils.find(({ metadata }) => metadata.name === named);
  return defaultCouncil(role, councils);
};

/** Names of a Council's agents: at least one and at most nine, whatever the object says, which may be older than its schema. */
export const agentsOf = ({ spec }: Council): readonly string[] =>
  spec.agents.length > 0
    ? spec.agents.slice(0, MAX_AGENTS).map(({ name }) => name)
    : agentNames(spec.role, Math.min(MAX_AGENTS, Math.max(1, spec.size)));

/** The agent of attempt n; the role's first agent where no Council is seen any more. */
export const agentOfAttempt = (council: Council | undefined, role: string, n: number): string => {
  const names = council === undefined ? agentNames(role, 1) : agentsOf(council);
  return names[(n - 1) % names.length] ?? `agent-${role.toLowerCase()}-001`;
};

/**
 * The agent of that name; undefined when the Council has none (it was changed since the attempt began). Agents that are not listed one by one
 * differ by persona and temperature.
 */
export const agentOf = (council: Council, name: string): Agent | undefined => {
  const index = agentsOf(council).indexOf(name);
  if (index < 0) return undefined;
  const { agents, model, role } = council.spec;
  const own = agents.find((agent) => agent.name === name);
  const persona = own === undefined ? personaOf(role, index) : own.persona;
  return {
    name,
    ...(persona !== undefined && { persona }),
    model: own?.model?.name ?? model.name,
    temperature: own === undefined ? temperatureOf(model.temperature, index) : (own.model?.temperature ?? model.temperature),
    maxTokens: own?.model?.maxTokens ?? model.maxTokens,
  };
};
