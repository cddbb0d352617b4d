// The table at the end of a chaos run: kind of fault by moment, and how long until the system was whole again. Pure.
import type { Verdict } from './campaign.ts';

const seconds = (ms: number | undefined): string => (ms === undefined ? '-' : (ms / 1000).toFixed(1));

const row = ({ kind, moment, verdict, healedMs, wholeMs }: Verdict): string =>
  [kind.padEnd(24), moment.padEnd(22), verdict.padEnd(11), seconds(healedMs).padStart(9), seconds(wholeMs).padStart(9)].join(' ');

export const reportOf = (done: readonly Verdict[]): string => {
  const head = [
    'fault'.padEnd(24),
    'moment'.padEnd(22),
    'verdict'.padEnd(11),
    'healed s'.padStart(9),
    'whole s'.padStart(9),
  ].join(' ');
  const rows = [...done].sort((a, b) => a.kind.localeCompare(b.kind) || a.moment.localeCompare(b.moment)).map(row);
  const problems = done
    .filter(({ verdict }) => verdict !== 'survived')
    .flatMap(({ kind, moment, what, problems: all, round }) => [
      `${kind} at ${moment} (round ${round}): ${what}`,
      ...all.map((problem) => `    ${problem}`),
    ]);
  const count = (wanted: Verdict['verdict']): number => done.filter(({ verdict }) => verdict === wanted).length;
  const summary = `${done.length} points: ${count('survived')} survived, ${count('broke')} broke, ${count('not struck')} not struck`;
  return [head, ...rows, '', ...problems, ...(problems.length > 0 ? [''] : []), summary].join('\n');
};
