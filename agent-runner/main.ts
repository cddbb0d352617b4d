// One step of a workspace pod: `agent-runner <step>`.
import { isCommand, runCommand, USAGE } from './process-entry.ts';

const main = async ([, program = '', word]: readonly string[]): Promise<number> => {
  if (word === '--help' || word === '-h') {
    console.log(USAGE);
    return 0;
  }
  if (!isCommand(word)) {
    console.error(USAGE);
    return 2;
  }
  await runCommand(word, { root: '/', program, say: (line) => console.log(line) });
  return 0;
};

process.exitCode = await main(process.argv).catch((error: unknown) => {
  console.error(error);
  return 1;
});
