// kubectl fleet: wires the command line to the cluster and the terminal. What speaks to a cluster is loaded when a command needs it,
// so that help, version and completion of commands are there at once.

import type { Cluster } from './cluster.ts';
import { readConfig } from './config.ts';
import type { Place } from './requests.ts';
import { runCommandLine } from './run.ts';
import { terminalOn } from './terminal.ts';

const config = readConfig();
const terminal = terminalOn(process, config.noColour);

const onCluster = async <T>(place: Place, work: (cluster: Cluster) => Promise<T>): Promise<T> => {
  const { openCluster } = await import('./cluster.ts');
  const cluster = await openCluster(place, config.kubectl);
  try {
    return await work(cluster);
  } finally {
    await cluster.close();
  }
};

const commands: Parameters<typeof runCommandLine>[1] = {
  async decide(request) {
    const { decide } = await import('./verdict.ts');
    await onCluster(request.place, (cluster) => decide(request, cluster, terminal));
  },
  async printTree(request) {
    const { printTree } = await import('./tree.ts');
    await onCluster(request.place, (cluster) => printTree(request, cluster, terminal));
  },
  async printLogs(request) {
    const print = request.evidence ? (await import('./evidence.ts')).printEvidence : (await import('./logs.ts')).printLogs;
    await onCluster(request.place, (cluster) => print(request, cluster, terminal));
  },
  async replay(request) {
    const { replay } = await import('./replay.ts');
    await onCluster(request.place, (cluster) => replay(request, cluster, terminal));
  },
  async printTranscript(request) {
    const { printTranscript } = await import('./transcript.ts');
    await onCluster(request.place, (cluster) => printTranscript(request, cluster, terminal));
  },
  /** Completion never fails and never explains. */
  async namesOf(kind, place) {
    const { namesIn } = await import('./cluster.ts');
    return onCluster(place, (cluster) => namesIn(cluster, kind)).catch(() => []);
  },
};

// a reader that has enough (head, less) ends us quietly
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
void runCommandLine(process.argv.slice(2), commands, terminal).then((code) => (process.exitCode = code));
