/**
 * `npm run cluster -- COMMAND`: a cluster in a box for people at a shell. It joins the commands to this process and its terminal.
 */
import { runCommand } from './cli-commands.ts';
import { clusterConfig } from './config.ts';
import { coloured, plain } from './report.ts';

const shell = {
  config: clusterConfig(),
  print: (text: string): void => console.log(text),
  say: (line: string): void => console.error(line),
  paint: process.stdout.isTTY ? coloured : plain,
};
process.exitCode = await runCommand(shell, process.argv.slice(2));
