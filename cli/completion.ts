// Completion: what the word under the cursor may become, and the scripts by which shells ask for it.

import { GATES, OPTIONS, SHELLS, TOPICS, VERBS, type Shell, type Topic } from './command-line.ts';

const SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: `_kubectl_fleet() {
  local IFS=$'\\n'
  COMPREPLY=($(kubectl-fleet __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _kubectl_fleet kubectl-fleet
`,
  zsh: `#compdef kubectl-fleet
_kubectl_fleet() {
  local -a candidates
  candidates=(\${(f)"$(kubectl-fleet __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)"})
  compadd -a candidates
}
if [ "$funcstack[1]" = "_kubectl_fleet" ]; then _kubectl_fleet; else compdef _kubectl_fleet kubectl-fleet; fi
`,
  kubectl: `#!/bin/sh
kubectl-fleet __complete "$@" 2>/dev/null
echo ":4"
`,
};

export const completionScript = (shell: Shell): string => SCRIPTS[shell];

/** Names of objects of a kind in the namespace that the words before speak of. */
export type NamesOf = (kind: 'story' | 'plan' | 'task', words: readonly string[]) => Promise<readonly string[]>;

const KINDS: Readonly<Record<Topic, readonly string[]>> = {
  approve: ['plan', 'story'],
  reject: ['plan', 'story'],
  tree: ['story'],
  logs: ['story', 'task'],
  completion: SHELLS,
};

const STEPS = ['runner', 'checkout', 'setup', 'work', 'verify-setup', 'verify', 'report', 'merge', 'push'];

const optionsOf = (topic: Topic): readonly string[] => Object.keys(OPTIONS[topic]).map((name) => `--${name}`);

const isTopic = (word: string | undefined): word is Topic => TOPICS.some((topic) => topic === word);

const takesValue = (topic: Topic, word: string): boolean => {
  const option = Object.entries(OPTIONS[topic]).find(([name, { short }]) => word === `--${name}` || word === `-${short}`);
  return option?.[1].type === 'string';
};

const positionalsOf = (topic: Topic, words: readonly string[]): readonly string[] =>
  words.filter((word, i) => !word.startsWith('-') && !takesValue(topic, words[i - 1] ?? ''));

const candidatesOf = async (
  topic: Topic,
  before: readonly string[],
  current: string,
  namesOf: NamesOf,
): Promise<readonly string[]> => {
  const previous = before.at(-1) ?? '';
  if (previous === '--gate') return GATES;
  if (previous === '--step' || previous === '-s') return STEPS;
  if (takesValue(topic, previous)) return [];
  if (current.startsWith('-')) return optionsOf(topic);
  const [kind, name] = positionalsOf(topic, before);
  if (kind === undefined) return KINDS[topic];
  if (name !== undefined || topic === 'completion') return [];
  return kind === 'story' || kind === 'plan' || kind === 'task' ? namesOf(kind, before) : [];
};

/** `words` are those after the program's name; the last is the one to complete and may be empty. */
export const complete = async (words: readonly string[], namesOf: NamesOf): Promise<readonly string[]> => {
  const current = words.at(-1) ?? '';
  const [verb, ...before] = words.slice(0, -1);
  if (verb === undefined) return VERBS.filter((candidate) => candidate.startsWith(current));
  if (verb === 'help') return TOPICS.filter((topic) => topic.startsWith(current));
  if (!isTopic(verb)) return [];
  return (await candidatesOf(verb, before, current, namesOf)).filter((candidate) => candidate.startsWith(current));
};
