// kubectl fleet: wires the command line to the cluster and the terminal. Ends with 0, or with 1 and one line of what to do.

import { ApiError } from '../kube/error.ts';
import { listAll, openCluster, explain, RESOURCES, type Cluster } from './cluster.ts';
import { parseCommandLine, type Command, type Place } from './command-line.ts';
import { complete, completionScript, type NamesOf } from './completion.ts';
import { readConfig } from './config.ts';
import { printEvidence } from './evidence.ts';
import { helpText } from './help.ts';
import { printLogs } from './logs.ts';
import { terminalOn, type Terminal } from './terminal.ts';
import { printTree } from './tree.ts';
import { UsageError } from './usage-error.ts';
import { decide } from './verdict.ts';
import { VERSION } from './version.ts';

const config = readConfig();
const terminal = terminalOn(process, config.noColour);

const onCluster = async (place: Place, work: (cluster: Cluster) => Promise<void>): Promise<void> => {
  const cluster = await openCluster(place, config.kubectl);
  try {
    await work(cluster);
  } finally {
    await cluster.close();
  }
};

const valueAfter = (words: readonly string[], ...options: readonly string[]): string | undefined =>
  words[words.findIndex((word) => options.includes(word)) + 1];

/** Completion never fails and never explains. */
const namesOf: NamesOf = async (kind, words) => {
  const namespace = words.some((word) => word === '-n' || word === '--namespace')
    ? valueAfter(words, '-n', '--namespace')
    : undefined;
  const names: string[] = [];
  await onCluster(namespace === undefined ? {} : { namespace }, async (cluster) => {
    const objects = await listAll(cluster.client, RESOURCES[kind], { namespace: cluster.namespace });
    names.push(...objects.map(({ metadata }) => metadata.name));
  }).catch(() => undefined);
  return names;
};

const run = async (command: Command, out: Terminal): Promise<void> => {
  switch (command.verb) {
    case 'help':
      return out.write(helpText(command.topic));
    case 'version':
      return out.write(`kubectl-fleet ${VERSION}\n`);
    case 'completion':
      return out.write(completionScript(command.shell));
    case 'complete':
      return out.write((await complete(command.words, namesOf)).map((word) => `${word}\n`).join(''));
    case 'approve':
    case 'reject':
      return onCluster(command.place, (cluster) => decide(command, cluster, out));
    case 'tree':
      return onCluster(command.place, (cluster) => printTree(command, cluster, out));
    case 'logs':
      return onCluster(command.place, (cluster) => (command.evidence ? printEvidence : printLogs)(command, cluster, out));
  }
};

const complain = (error: unknown): void => {
  const told = error instanceof ApiError ? explain(error) : error;
  if (!(told instanceof UsageError)) throw error;
  terminal.complain(`kubectl fleet: ${told.message}`);
  if (told.hint !== undefined) terminal.complain(told.hint);
};

const main = async (argv: readonly string[]): Promise<number> => {
  try {
    await run(parseCommandLine(argv), terminal);
    return 0;
  } catch (error) {
    complain(error);
    return 1;
  }
};

// a reader that has enough (head, less) ends us quietly
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
void main(process.argv.slice(2)).then((code) => (process.exitCode = code));
