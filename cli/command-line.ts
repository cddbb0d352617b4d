// The grammar: words in, one command out. Pure; whatever cannot be understood is a UsageError that says what can.

import { parseArgs, type ParseArgsConfig } from 'node:util';
import { didYouMean, UsageError } from './usage-error.ts';

/** Which cluster, and where in it; undefined means as kubectl would. */
export interface Place {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly namespace?: string;
}

export type Gate = 'scope' | 'test' | 'docs';
export const GATES: readonly Gate[] = ['scope', 'test', 'docs'];

export type Target =
  { readonly kind: 'plan'; readonly name: string } | { readonly kind: 'story'; readonly name: string; readonly gate: Gate };

export interface Verdict {
  readonly verb: 'approve' | 'reject';
  readonly place: Place;
  readonly target: Target;
  readonly reason?: string;
  /** Ask nothing. */
  readonly yes: boolean;
}

export interface Tree {
  readonly verb: 'tree';
  readonly place: Place;
  /** Undefined: all Stories of the namespace. */
  readonly story?: string;
  readonly watch: boolean;
}

export interface Logs {
  readonly verb: 'logs';
  readonly place: Place;
  readonly kind: 'story' | 'task';
  readonly name: string;
  readonly attempt?: number;
  readonly step?: string;
  readonly follow: boolean;
  /** Print the evidence of the attempts instead of logs. */
  readonly evidence: boolean;
  readonly gatewayNamespace?: string;
}

export type Command =
  | Verdict
  | Tree
  | Logs
  | { readonly verb: 'help'; readonly topic?: Topic }
  | { readonly verb: 'version' }
  | { readonly verb: 'completion'; readonly shell: Shell }
  /** Asked by the shells: what may the last of these words become? */
  | { readonly verb: 'complete'; readonly words: readonly string[] };

export const TOPICS = ['approve', 'reject', 'tree', 'logs', 'completion'] as const;
export type Topic = (typeof TOPICS)[number];
export const VERBS = [...TOPICS, 'help', 'version'] as const;
export const SHELLS = ['bash', 'zsh', 'kubectl'] as const;
export type Shell = (typeof SHELLS)[number];

type Options = NonNullable<ParseArgsConfig['options']>;

const PLACE: Options = {
  kubeconfig: { type: 'string' },
  context: { type: 'string' },
  namespace: { type: 'string', short: 'n' },
  help: { type: 'boolean', short: 'h' },
};
const VERDICT: Options = { ...PLACE, gate: { type: 'string' }, reason: { type: 'string' }, yes: { type: 'boolean', short: 'y' } };

/** The options of each verb, also for help and completion. */
export const OPTIONS: Readonly<Record<Topic, Options>> = {
  approve: VERDICT,
  reject: VERDICT,
  tree: { ...PLACE, watch: { type: 'boolean', short: 'w' } },
  logs: {
    ...PLACE,
    attempt: { type: 'string' },
    step: { type: 'string', short: 's' },
    follow: { type: 'boolean', short: 'f' },
    evidence: { type: 'boolean' },
    'gateway-namespace': { type: 'string' },
  },
  completion: { help: { type: 'boolean', short: 'h' } },
};

const isOneOf = <T extends string>(word: string | undefined, words: readonly T[]): word is T => words.some((one) => one === word);

interface Parsed {
  readonly words: readonly string[];
  readonly values: Readonly<Record<string, unknown>>;
}

const parse = (topic: Topic, argv: readonly string[]): Parsed => {
  try {
    const { values, positionals } = parseArgs({ args: [...argv], options: OPTIONS[topic], allowPositionals: true, strict: true });
    return { words: positionals, values };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const unknown = /Unknown option '(-+[^']*)'/.exec(message)?.[1];
    if (unknown === undefined) throw new UsageError(message, seeHelp(topic));
    const known = Object.keys(OPTIONS[topic]).map((name) => `--${name}`);
    throw new UsageError(`there is no option ${unknown}`, didYouMean(unknown, known) ?? seeHelp(topic));
  }
};

const seeHelp = (topic: Topic): string => `See: kubectl fleet ${topic} --help`;
const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

const placeOf = (values: Parsed['values']): Place => {
  const [kubeconfig, context, namespace] = [text(values['kubeconfig']), text(values['context']), text(values['namespace'])];
  return {
    ...(kubeconfig !== undefined && { kubeconfig }),
    ...(context !== undefined && { context }),
    ...(namespace !== undefined && { namespace }),
  };
};

const KINDS: Readonly<Record<string, 'story' | 'plan' | 'task'>> = {
  ...{ story: 'story', stories: 'story', sty: 'story' },
  ...{ plan: 'plan', plans: 'plan', pln: 'plan' },
  ...{ task: 'task', tasks: 'task', tsk: 'task' },
};

/** Takes `KIND NAME` or `KIND/NAME`, in kubectl's spellings, of the kinds that make sense here. */
const kindAndName = <K extends 'story' | 'plan' | 'task'>(topic: Topic, words: readonly string[], kinds: readonly K[]) => {
  const [first, ...rest] = words.flatMap((word, i) => (i === 0 ? word.split('/', 2) : [word]));
  if (first === undefined) throw new UsageError(`${topic} what? Say ${kinds.join(' or ')} and a name`, seeHelp(topic));
  const kind = KINDS[first.toLowerCase().replace(/\.swefleet\.io$/, '')];
  if (!isOneOf(kind, kinds))
    throw new UsageError(
      `cannot ${topic} a "${first}"`,
      didYouMean(first, kinds) ?? `It takes ${kinds.join(' or ')}, then a name.`,
    );
  const [name, ...more] = rest;
  if (name === undefined || name === '')
    throw new UsageError(`which ${kind}?`, `See: kubectl get ${kind === 'story' ? 'stories' : `${kind}s`}`);
  if (more.length > 0) throw new UsageError(`one ${kind} at a time: what is "${more.join(' ')}"?`, seeHelp(topic));
  return { kind, name };
};

const targetOf = (verb: 'approve' | 'reject', { words, values }: Parsed): Target => {
  const { kind, name } = kindAndName(verb, words, ['plan', 'story']);
  const gate = text(values['gate']);
  if (kind === 'plan') {
    if (gate !== undefined && gate !== 'design')
      throw new UsageError('a Plan has no gate to choose: its approval is the design gate');
    return { kind, name };
  }
  if (gate === 'design') throw new UsageError('the design gate is the approval of a Plan', `kubectl fleet ${verb} plan NAME`);
  if (!isOneOf(gate, GATES)) {
    const problem = gate === undefined ? 'which gate of the Story?' : `there is no gate "${gate}"`;
    throw new UsageError(problem, `--gate ${GATES.join(' | ')}`);
  }
  return { kind, name, gate };
};

const verdict = (verb: 'approve' | 'reject', parsed: Parsed): Verdict => {
  const reason = text(parsed.values['reason']);
  const target = targetOf(verb, parsed);
  if (verb === 'reject' && (reason === undefined || reason.trim() === ''))
    throw new UsageError('a rejection needs a reason: whoever revises must know why', '--reason "…"');
  return {
    verb,
    place: placeOf(parsed.values),
    target,
    yes: parsed.values['yes'] === true,
    ...(reason !== undefined && { reason }),
  };
};

/** The kind may be left out: there is only one. */
const tree = ({ words, values }: Parsed): Tree => {
  const [first] = words;
  const isBare = words.length === 1 && first !== undefined && !first.includes('/') && KINDS[first] === undefined;
  const name = first === undefined ? undefined : kindAndName('tree', isBare ? ['story', first] : words, ['story']).name;
  return { verb: 'tree', place: placeOf(values), watch: values['watch'] === true, ...(name !== undefined && { story: name }) };
};

const attemptOf = (value: string | undefined): number | undefined => {
  if (value === undefined) return undefined;
  if (/^[1-9][0-9]{0,2}$/.test(value)) return Number(value);
  throw new UsageError(`"${value}" is no number of an attempt`, 'They count from 1: --attempt 2');
};

const logs = (parsed: Parsed): Logs => {
  const { kind, name } = kindAndName('logs', parsed.words, ['story', 'task']);
  const { values } = parsed;
  const [follow, evidence] = [values['follow'] === true, values['evidence'] === true];
  const attempt = attemptOf(text(values['attempt']));
  const [step, gatewayNamespace] = [text(values['step']), text(values['gateway-namespace'])];
  if (evidence && (follow || step !== undefined))
    throw new UsageError('--evidence prints what an attempt left behind: it goes with neither --follow nor --step');
  return {
    ...{ verb: 'logs', place: placeOf(values), kind, name, follow, evidence },
    ...(attempt !== undefined && { attempt }),
    ...(step !== undefined && { step }),
    ...(gatewayNamespace !== undefined && { gatewayNamespace }),
  };
};

const completion = ({ words: [shell] }: Parsed): Command => {
  if (!isOneOf(shell, SHELLS)) throw new UsageError('completion for which shell?', SHELLS.join(', '));
  return { verb: 'completion', shell };
};

const help = (words: readonly string[]): Command => {
  const [topic] = words;
  if (topic === undefined) return { verb: 'help' };
  if (!isOneOf(topic, TOPICS))
    throw new UsageError(`there is no help on "${topic}"`, didYouMean(topic, TOPICS) ?? `There is: ${TOPICS.join(', ')}`);
  return { verb: 'help', topic };
};

const PARSERS: Readonly<Record<Topic, (parsed: Parsed) => Command>> = {
  approve: (parsed) => verdict('approve', parsed),
  reject: (parsed) => verdict('reject', parsed),
  tree,
  logs,
  completion,
};

const topical = (verb: string, rest: readonly string[]): Command => {
  if (!isOneOf(verb, TOPICS)) {
    const problem = verb.startsWith('-') ? `options come after the command: ${verb}` : `there is no command "${verb}"`;
    throw new UsageError(problem, didYouMean(verb, VERBS) ?? 'See: kubectl fleet help');
  }
  const parsed = parse(verb, rest);
  return parsed.values['help'] === true ? { verb: 'help', topic: verb } : PARSERS[verb](parsed);
};

/** @throws {UsageError} with a hint */
export const parseCommandLine = (argv: readonly string[]): Command => {
  const [verb = 'help', ...rest] = argv;
  switch (verb) {
    case 'help':
    case '--help':
    case '-h':
      return help(rest);
    case 'version':
    case '--version':
      return { verb: 'version' };
    case '__complete':
      return { verb: 'complete', words: rest };
    default:
      return topical(verb, rest);
  }
};
