// One step of a workspace pod: `agent-runner <step>`.
import { isCommand, runCommand, usage } from './process-entry.ts';

const [, program = '', word] = process.argv;
if (word === '--help' || word === '-h') {
  console.log(usage);
} else if (!isCommand(word)) {
  console.error(usage);
  process.exitCode = 2;
} else {
  try {
    await runCommand(word, { root: '/', program, say: (line) => console.log(line) });
  } catch (error) {
    console.error(error);
    process.exitCode = 1;
  }
}
