// Which Council and which agent a Task's attempt speaks through. Pure.

import { agentNames } from '../../crds/names.ts';
import type { Council } from '../../crds/kinds/council.ts';
import type { Story } from '../../crds/kinds/story.ts';

/** An agent with the Council's terms already laid under its own. */
export interface Agent {
  readonly name: string;
  readonly persona?: string;
  readonly model: string;
  /** A decimal string, such as "0.7". */
  readonly temperature: string;
  readonly maxTokens: number;
}

const byName = (a: Council, b: Council): number => (a.metadata.name < b.metadata.name ? -1 : 1);

/** The Council that the Story names for the role, else the namespace's default one of that role (of several the first by name). */
export const councilFor = (role: string, story: Story, councils: readonly Council[]): Council | undefined => {
  const named = (story.spec.councils ?? []).find((choice) => choice.role === role);
  if (named !== undefined) return councils.find((council) => council.metadata.name === named.name);
  return councils.filter((council) => council.spec.role === role && council.spec.default === true).toSorted(byName)[0];
};

/** The agent of that name; undefined when the Council has none (it was changed since the attempt began). */
export const agentOf = (council: Council, name: string): Agent | undefined => {
  const { agents = [], model, role, size } = council.spec;
  const terms = { model: model.name, temperature: model.temperature, maxTokens: model.maxTokens };
  if (agents.length === 0) return agentNames(role, size).includes(name) ? { name, ...terms } : undefined;
  const agent = agents.find((one) => one.name === name);
  if (agent === undefined) return undefined;
  return {
    name,
    ...(agent.persona !== undefined && { persona: agent.persona }),
    model: agent.model?.name ?? terms.model,
    temperature: agent.model?.temperature ?? terms.temperature,
    maxTokens: agent.model?.maxTokens ?? terms.maxTokens,
  };
};
