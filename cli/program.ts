// The command tree, with commander: it parses, prints help and errors, and is what completion walks. Knows nothing of clusters.

import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { ATTEMPT_STEPS, COURIER_STEPS } from '../crds/contracts/steps.ts';
import { completionScript, SHELLS, type Shell } from './completion-scripts.ts';
import { UsageError } from './failure.ts';
import { HELP, OVERVIEW } from './help-text.ts';
import { namedObject, storyName } from './object-words.ts';
import type {
  Gate,
  LogsRequest,
  Place,
  ReplayRequest,
  Target,
  TranscriptRequest,
  TreeRequest,
  VerdictRequest,
} from './requests.ts';
import type { Terminal } from './terminal.ts';
import { VERSION } from './version.ts';

/** What the commands do. */
export interface Handlers {
  decide(request: VerdictRequest): Promise<void>;
  printTree(request: TreeRequest): Promise<void>;
  printLogs(request: LogsRequest): Promise<void>;
  replay(request: ReplayRequest): Promise<void>;
  printTranscript(request: TranscriptRequest): Promise<void>;
}

const GATES: readonly Gate[] = ['scope', 'test', 'docs'];
const STEPS: readonly string[] = [...new Set([...ATTEMPT_STEPS, ...COURIER_STEPS])];

const placeOf = ({ kubeconfig, context, namespace }: Place): Place => ({ kubeconfig, context, namespace });

interface VerdictOptions extends Place {
  readonly gate?: Gate | 'design';
  readonly reason?: string;
  readonly yes?: boolean;
}

const gateOf = (word: string): Gate | 'design' => {
  const gate = [...GATES, 'design' as const].find((one) => one === word);
  if (gate === undefined) throw new InvalidArgumentError(`It is one of ${GATES.join(', ')}.`);
  return gate;
};

const targetOf = (verb: 'approve' | 'reject', words: readonly string[], gate: Gate | 'design' | undefined): Target => {
  const { kind, name } = namedObject(verb, words);
  if (kind === 'plan') {
    if (gate !== undefined && gate !== 'design')
      throw new UsageError('a Plan has no gate to choose: its approval is the design gate', `kubectl fleet ${verb} plan ${name}`);
    return { kind, name };
  }
  if (gate === 'design') throw new UsageError('the design gate is the approval of a Plan', `kubectl fleet ${verb} plan NAME`);
  if (gate === undefined) throw new UsageError('which gate of the Story?', `--gate ${GATES.join(' | ')}`);
  return { kind, name, gate };
};

const verdictRequest = (verb: 'approve' | 'reject', words: readonly string[], options: VerdictOptions): VerdictRequest => {
  const { gate, reason, yes = false } = options;
  const target = targetOf(verb, words, gate);
  if (verb === 'reject' && (reason === undefined || reason.trim() === ''))
    throw new UsageError('a rejection needs a reason: whoever revises must know why', '--reason "…"');
  return { verb, place: placeOf(options), target, reason, yes };
};

type LogsOptions = Partial<Omit<LogsRequest, 'kind' | 'name' | 'place'>> & Place;

const attemptNumber = (word: string): number => {
  if (/^[1-9][0-9]{0,2}$/.test(word)) return Number(word);
  throw new InvalidArgumentError('Attempts count from 1: --attempt 2');
};

const logsRequest = (words: readonly string[], options: LogsOptions): LogsRequest => {
  const { attempt, step, follow = false, evidence = false, gatewayNamespace } = options;
  return { place: placeOf(options), ...namedObject('logs', words), attempt, step, follow, evidence, gatewayNamespace };
};

const withExamples = (command: Command, examples: readonly string[], { paint }: Terminal): Command =>
  examples.length === 0
    ? command
    : command.addHelpText('after', `\n${paint('bold', 'Examples:')}\n${examples.map((line) => `  ${line}`).join('\n')}`);

const root = (terminal: Terminal): Command => {
  const program = new Command('kubectl fleet')
    .description(OVERVIEW.description)
    .version(`kubectl-fleet ${VERSION}`, '--version', 'the version')
    .option('-n, --namespace <namespace>', 'namespace (default: that of the current context)')
    .option('--context <name>', 'context of the kubeconfig')
    .option('--kubeconfig <file>', 'kubeconfig (default: $KUBECONFIG, then ~/.kube/config)')
    .helpOption('-h, --help', 'this text')
    .helpCommand('help [command]', 'this text, or that of a command')
    .exitOverride()
    .showHelpAfterError('See: kubectl fleet --help')
    .configureHelp({
      showGlobalOptions: true,
      subcommandTerm: (command) => command.name(),
      styleTitle: (title) => terminal.paint('bold', title),
    })
    .configureOutput({
      writeOut: (text) => terminal.write(text),
      writeErr: (text) => terminal.complain(text.trimEnd()),
      outputError: (text, write) => write(text.replace(/^error: /, 'kubectl fleet: ')),
      // the paint knows whether there may be colours
      getOutHasColors: () => true,
      getErrHasColors: () => false,
    });
  return withExamples(program, OVERVIEW.examples, terminal);
};

export const createProgram = (handlers: Handlers, terminal: Terminal): Command => {
  const program = root(terminal);
  const add = (name: keyof typeof HELP): Command => {
    const { summary, usage, description, examples } = HELP[name];
    const command = program.command(name).summary(summary).usage(usage).description(description);
    return withExamples(command.showHelpAfterError(`See: kubectl fleet ${name} --help`), examples, terminal);
  };
  for (const verb of ['approve', 'reject'] as const)
    add(verb)
      .argument('[object...]', 'plan NAME or story NAME')
      .addOption(
        new Option('--gate <gate>', 'of a Story: may it be planned, does its head pass?').choices(GATES).argParser(gateOf),
      )
      .option('--reason <why>', verb === 'approve' ? 'kept with the approval' : 'needed: whoever revises reads it')
      .option('-y, --yes', 'ask nothing; needed where there is no terminal')
      .action((words: readonly string[], _, command: Command) =>
        handlers.decide(verdictRequest(verb, words, command.optsWithGlobals<VerdictOptions>())),
      );
  add('tree')
    .argument('[object...]', 'story NAME (default: all Stories)')
    .option('-w, --watch', 'print again whenever something changes, until the Story is at its end (or Ctrl-C)')
    .action((words: readonly string[], _, command: Command) => {
      const options = command.optsWithGlobals<Place & { readonly watch?: boolean }>();
      return handlers.printTree({ place: placeOf(options), story: storyName(words), watch: options.watch === true });
    });
  addLogs(add('logs'), handlers);
  addReplay(add('replay'), handlers);
  addTranscript(add('transcript'), handlers);
  add('completion')
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .action((shell: Shell) => terminal.write(completionScript(shell)));
  program
    .command('version')
    .summary('the version')
    .action(() => terminal.write(`kubectl-fleet ${VERSION}\n`));
  return program;
};

const GATEWAY_NAMESPACE = ['--gateway-namespace <namespace>', 'where swe-fleet runs (default: looked for)'] as const;

const addLogs = (command: Command, handlers: Handlers): void => {
  command
    .argument('[object...]', 'story NAME or task NAME')
    .option('--attempt <n>', 'only this attempt (default: all for logs, the last for evidence)', attemptNumber)
    // a newer operator may have other steps, so that these are only proposed
    .addOption(new Option('-s, --step <step>', 'only this step').choices(STEPS).argParser((step) => step))
    .option('-f, --follow', 'go on until the Task or Story is at its end')
    .addOption(new Option('--evidence', 'the evidence instead of logs').conflicts(['follow', 'step']))
    .option(...GATEWAY_NAMESPACE)
    .action((words: readonly string[], _, own: Command) =>
      handlers.printLogs(logsRequest(words, own.optsWithGlobals<LogsOptions>())),
    );
};

const addReplay = (command: Command, handlers: Handlers): void => {
  command.argument('[object...]', 'deliberation NAME').action((words: readonly string[], _, own: Command) => {
    const { name } = namedObject('replay', words);
    return handlers.replay({ place: placeOf(own.optsWithGlobals<Place>()), name });
  });
};

type TranscriptOptions = Pick<TranscriptRequest, 'texts' | 'gatewayNamespace'> & Place;

const addTranscript = (command: Command, handlers: Handlers): void => {
  command
    .argument('[object...]', 'deliberation NAME')
    .option('--no-texts', 'without what the agents wrote: asks no gateway')
    .option(...GATEWAY_NAMESPACE)
    .action((words: readonly string[], _, own: Command) => {
      const options = own.optsWithGlobals<TranscriptOptions>();
      const { texts, gatewayNamespace } = options;
      return handlers.printTranscript({
        place: placeOf(options),
        name: namedObject('transcript', words).name,
        texts,
        gatewayNamespace,
      });
    });
};
