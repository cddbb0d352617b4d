// Which tools an agent has, by its role. A table, and the look-up of a tool by its name.
import { READING_ROLE } from '../../crds/kinds/meta.ts';
import { done, giveUp } from './end.ts';
import { fileTools } from './files.ts';
import { gitTools } from './git.ts';
import { shellTools } from './shell.ts';
import { testTools } from './tests.ts';
import type { Tool, ToolGroup } from './tool.ts';

const everything: readonly ToolGroup[] = ['files:read', 'files:write', 'git:read', 'git:write', 'tests', 'shell'];

const groupsByRole: Readonly<Record<string, readonly ToolGroup[]>> = {
  [READING_ROLE]: ['files:read', 'git:read'],
  QA: ['files:read', 'files:write', 'tests', 'git:read', 'shell'],
};

const allTools: readonly Tool[] = [...fileTools, ...gitTools, ...testTools, ...shellTools, done, giveUp];

/** A role that the table does not name has every tool. */
export const toolsOfRole = (role: string): readonly Tool[] => {
  const groups = Object.hasOwn(groupsByRole, role) ? (groupsByRole[role] ?? []) : everything;
  return allTools.filter((tool) => tool.group === 'end' || groups.includes(tool.group));
};
