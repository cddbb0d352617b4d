/**
 * `npm run cluster -- COMMAND`: a cluster in a box for people at a shell. It finds the command and turns errors into exit codes:
 * 0 done, 1 failed or not healthy, 2 not understood; kubectl's and entered programs' own otherwise.
 */
import { COMMANDS, HELP, UsageError } from './cli-commands.ts';
import { checkedName } from './layout.ts';

interface Words {
  readonly name: string;
  readonly command: string;
  readonly rest: readonly string[];
}

/** `--name` may stand before the command, so that the words of kubectl stay its own. */
function wordsOf(argv: readonly string[]): Words {
  const [first = 'help', ...rest] = argv;
  if (first === '--name') return { ...wordsOf(rest.slice(1)), name: rest[0] ?? '' };
  if (first.startsWith('--name=')) return { ...wordsOf(rest), name: first.slice('--name='.length) };
  return { name: 'default', command: first, rest };
}

async function main(argv: readonly string[]): Promise<number> {
  const { name, command, rest } = wordsOf(argv);
  if (['help', '--help', '-h'].includes(command)) {
    console.log(HELP);
    return 0;
  }
  const found = COMMANDS.get(command);
  if (found === undefined) throw new UsageError(`there is no command "${command}"`);
  return found(checkedName(name), rest);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  const unknown =
    error instanceof UsageError ||
    (error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'));
  console.error(unknown ? `${message}\n\n${HELP}` : message);
  process.exitCode = unknown ? 2 : 1;
}
