// `npm run chaos`: two Stories walk again and again while something is killed, cut, filled or frozen, and must end as if nothing had been.
// What is known is kept in a file after every round, so that a run that was killed goes on where it was.
// May: set up, choose, keep, report. What a fault is lies in faults/, what must hold in judge.ts.
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { down } from '../cluster/box.ts';
import { clusterConfig } from '../cluster/config.ts';
import { readState, writeState } from '../cluster/state-file.ts';
import { RELEASE_NAMESPACE } from '../environment/chart.ts';
import { optionsOf } from '../options.ts';
import { emptyCampaign, nextRound, shuffled, withRound, type Campaign } from './campaign.ts';
import type { Point } from './contract.ts';
import { normalForm, type NormalStory } from './judge.ts';
import { ALL_POINTS } from './points.ts';
import { clearWalks } from './pair.ts';
import { reportOf } from './report.ts';
import { openRig, type Rig } from './rig.ts';
import { POINTS_IN_A_ROUND, runRound, type RoundSeen } from './round.ts';

const BOX = 'chaos';

const HELP = `npm run chaos [-- OPTIONS]

  --points N    stop after so many points (all ${ALL_POINTS.length} by default)
  --only TEXT   only points whose "kind at moment" contains the text; may be given several times
  --seed N      the order of the points (1)
  --together N  points in one walk, up to ${POINTS_IN_A_ROUND} (${POINTS_IN_A_ROUND})
  --resume      go on with the run that was begun with the same seed and the same images
  --json FILE   write what is known of every point
  --list        print the points and end
  --keep        leave the box up
  --help        this text`;

const options = optionsOf(HELP, {
  points: { type: 'string' },
  only: { type: 'string', multiple: true, default: [] },
  seed: { type: 'string', default: '1' },
  together: { type: 'string', default: String(POINTS_IN_A_ROUND) },
  resume: { type: 'boolean', default: false },
  json: { type: 'string' },
  list: { type: 'boolean', default: false },
  keep: { type: 'boolean', default: false },
});

interface Kept {
  readonly campaign: Campaign;
  /** Of the images that were walked with: other images make it another run. */
  readonly build: string;
  readonly reference?: readonly NormalStory[];
}

const folder = join(clusterConfig().cacheDir, 'chaos');
const stateFile = join(folder, 'state.json');
const startedAt = Date.now();
const say = (line: string): void => console.log(`${((Date.now() - startedAt) / 1000).toFixed(0).padStart(5)} s  ${line}`);

const wantedPoints = (): readonly Point[] => {
  const named = ({ kind, moment }: Point): boolean =>
    options.only.length === 0 || options.only.some((text) => `${kind} at ${moment}`.includes(text));
  const points = shuffled(ALL_POINTS.filter(named), Number(options.seed));
  return points.slice(0, options.points === undefined ? points.length : Number(options.points));
};

const buildOf = (rig: Rig): string => readFileSync(join(rig.layout.stateDir, 'installed-images'), 'utf8');

const begun = (rig: Rig): Kept => {
  const seed = Number(options.seed);
  const build = buildOf(rig);
  const kept = options.resume ? readState<Kept>(stateFile) : undefined;
  if (kept === undefined) return { campaign: emptyCampaign(seed), build };
  if (kept.build === build && kept.campaign.seed === seed) return kept;
  say('what is kept is of other images or another seed: starting over');
  return { campaign: emptyCampaign(seed), build };
};

/** What a person needs to find out what went wrong. */
const keepEvidence = async (rig: Rig, id: string, round: RoundSeen): Promise<void> => {
  const place = join(folder, id);
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, 'round.json'), JSON.stringify(round, null, 2));
  for (const name of ['operator', 'gateway', 'agent-pool', 'nats']) {
    const selector = `app.kubernetes.io/component=${name}`;
    for (const previous of [[], ['--previous']]) {
      const argv = ['logs', '--namespace', RELEASE_NAMESPACE, '--selector', selector, '--tail=-1', ...previous];
      appendFileSync(join(place, `${name}.log`), (await rig.environment.kubectl.attempt(...argv)).stdout);
    }
  }
  say(`    evidence: ${place}`);
};

const oneRound = async (rig: Rig, kept: Kept, points: readonly Point[]): Promise<RoundSeen> => {
  const id = `${startedAt.toString(36)}-${kept.campaign.rounds}`;
  say(
    points.length === 0
      ? 'the undisturbed walk'
      : `round ${kept.campaign.rounds}: ${points.map(({ kind, moment }) => `${kind} at ${moment}`).join(' · ')}`,
  );
  const round = await runRound({ rig, id, points, reference: kept.reference, say: (line) => say(`    ${line}`) });
  for (const problem of round.problems) say(`    PROBLEM ${problem}`);
  say(`    walked in ${(round.walkedMs / 1000).toFixed(1)} s, ${round.problems.length === 0 ? 'whole' : 'NOT whole'}`);
  if (round.problems.length > 0) await keepEvidence(rig, id, round);
  return round;
};

const runCampaign = async (rig: Rig, wanted: readonly Point[], signal: AbortSignal): Promise<Kept> => {
  let kept = begun(rig);
  if (kept.reference === undefined) {
    const round = await oneRound(rig, kept, []);
    if (round.problems.length > 0) throw new Error('the undisturbed walk has problems: there is nothing to compare with');
    kept = { ...kept, campaign: { ...kept.campaign, rounds: kept.campaign.rounds + 1 }, reference: normalForm(round.ending) };
    writeState(stateFile, kept);
  }
  for (;;) {
    const points = nextRound(kept.campaign, wanted, Number(options.together));
    if (points.length === 0 || signal.aborted) return kept;
    const round = await oneRound(rig, kept, points);
    kept = { ...kept, campaign: withRound(kept.campaign, String(kept.campaign.rounds), round) };
    writeState(stateFile, kept);
  }
};

const main = async (): Promise<number> => {
  if (clusterConfig().externalKubeconfig !== undefined)
    throw new Error('npm run chaos kills processes of a box: it does not use SWEFLEET_KUBECONFIG');
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      if (interrupted.signal.aborted) process.exit(130);
      say('ending after this round; once more: at once');
      interrupted.abort();
    });
  const rig = await openRig(BOX, async (label, work) => {
    say(label);
    return work((line) => say(`    ${line}`));
  });
  try {
    await clearWalks(rig.environment);
    const wanted = wantedPoints();
    const { campaign } = await runCampaign(rig, wanted, interrupted.signal);
    console.log(`\n${reportOf(campaign.done)}`);
    console.log(`in ${((Date.now() - startedAt) / 60_000).toFixed(1)} min, seed ${campaign.seed}, ${campaign.rounds} walks`);
    if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(campaign, null, 2)}\n`);
    const missing = wanted.length - campaign.done.filter(({ verdict }) => verdict === 'survived').length;
    return missing === 0 ? 0 : 1;
  } finally {
    await rig.close();
    if (!options.keep) await down(clusterConfig().cacheDir, BOX);
  }
};

if (options.list) for (const { kind, moment } of wantedPoints()) console.log(`${kind} at ${moment}`);
else {
  if (!options.resume && existsSync(stateFile)) rmSync(stateFile);
  process.exitCode = await main();
}
