// The runner with another root than `/`: `entry.ts <step> <root>`. Everything else is what runs in a pod.
import { isCommand, runCommand } from '../../../agent-runner/process-entry.ts';

const [, program = '', word, root] = process.argv;
if (!isCommand(word) || root === undefined) throw new Error('usage: entry.ts <step> <root>');
await runCommand(word, { root, program, say: (line) => console.log(line) });
