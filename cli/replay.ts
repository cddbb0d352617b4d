// replay: whether the outcome of a Deliberation follows from what it recorded. It reads one object, and asks nobody else.

import { replayed, endReason, type Difference, type Replay } from '../crds/deliberation/replay.ts';
import { RULES_VERSION } from '../crds/deliberation/rigor.ts';
import type { Deliberation } from '../crds/kinds/deliberation.ts';
import { find, type Cluster } from './cluster.ts';
import { Failure } from './failure.ts';
import type { ReplayRequest } from './requests.ts';
import type { Terminal } from './terminal.ts';
import { oneLine, plural } from './text.ts';

/** Beyond these, a list of differences says no more than that nothing is right. */
const MOST_DIFFERENCES = 20;
const MOST_CHARACTERS = 200;

const clipped = (text: string): string => (text.length <= MOST_CHARACTERS ? text : `${text.slice(0, MOST_CHARACTERS - 1)}…`);
const shown = (json: string | undefined): string => (json === undefined ? 'nothing' : clipped(oneLine(json)));

const differenceLine = ({ path, recorded, again }: Difference): string =>
  `${oneLine(path)}: recorded is ${shown(recorded)}, and what comes out is ${shown(again)}\n`;

const endWords = (deliberation: Deliberation): string => {
  const reason = endReason(deliberation) ?? deliberation.status?.phase ?? '?';
  return `${oneLine(reason)}, ${oneLine(deliberation.status?.message ?? 'it says nothing else')}`;
};

/** One line of what came out. */
const sameLine = (deliberation: Deliberation): string => {
  const { name } = deliberation.metadata;
  const { winner, results = [] } = deliberation.status ?? {};
  if (winner === undefined) return `Deliberation ${name} replays: it failed again, ${endWords(deliberation)}\n`;
  const scores = results.map(({ agent, score }) => `${oneLine(agent)} ${score}`).join(', ');
  return `Deliberation ${name} replays: ${oneLine(winner)} won again; of 1000: ${scores}\n`;
};

const failureOf = (deliberation: Deliberation, replay: Exclude<Replay, { kind: 'same' }>): Failure => {
  const { metadata, status } = deliberation;
  const { name } = metadata;
  const read = `What is recorded: kubectl fleet transcript deliberation ${name} -n ${metadata.namespace}`;
  switch (replay.kind) {
    case 'notEnded':
      return new Failure(
        `Deliberation ${name} has not ended, so that there is no outcome to work out: ${oneLine(status?.message ?? 'nobody has looked at it yet')}`,
        `See: kubectl get deliberation ${name} -n ${metadata.namespace} --watch`,
      );
    case 'noOutcome':
      return new Failure(`Deliberation ${name} was ended before it had an outcome: ${endWords(deliberation)}`, read);
    case 'otherRules':
      return new Failure(
        `Deliberation ${name} was made by rules ${oneLine(replay.rules)}, and this command knows rules ${RULES_VERSION}`,
        'Take the kubectl-fleet of the release that made it.',
      );
    case 'differs':
      return new Failure(
        `Deliberation ${name} does not replay: ${plural(replay.differences.length, 'value')} in its status ${replay.differences.length === 1 ? 'is' : 'are'} not what comes out`,
        `Do not rely on its outcome; someone changed its status. ${read}`,
      );
  }
};

/** @throws {Failure} unless it comes to the same again */
export const replay = async (
  { name }: ReplayRequest,
  where: Pick<Cluster, 'client' | 'namespace'>,
  terminal: Terminal,
): Promise<void> => {
  const deliberation = await find(where, 'deliberation', name);
  const found = replayed(deliberation);
  if (found.kind === 'same') return terminal.write(sameLine(deliberation));
  if (found.kind === 'differs') terminal.write(found.differences.slice(0, MOST_DIFFERENCES).map(differenceLine).join(''));
  throw failureOf(deliberation, found);
};
