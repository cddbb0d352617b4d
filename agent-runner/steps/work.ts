// Step `work`: the agent at work in its tree. May: model calls; writes the tree and its own out volume. Leaves a patch, a log, a finding.
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Brief } from '../../crds/contracts/brief.ts';
import type { Findings } from '../../crds/contracts/findings.ts';
import { attemptPrompt } from '../agent/attempt-prompt.ts';
import { loopLog, type LoopLog } from '../agent/loop-log.ts';
import { runLoop, type LoopEnd } from '../agent/loop.ts';
import { gatewayModel } from '../../agent/model.ts';
import { readFinding } from '../finding-file.ts';
import { GitFailed, GitInterrupted } from '../git/driver.ts';
import type { ChangedFile } from '../git/changed-files.ts';
import { patchRefusal, type PatchRefusal } from '../git/patch-checks.ts';
import { WorkTreePatch } from '../git/work-tree-patch.ts';
import { writeOwnFile } from '../own-file.ts';
import { endLeftovers } from '../process/leftovers.ts';
import { failed, readBrief, shortMessage, skipped, type Step, type StepContext } from '../step.ts';
import type { Workbench } from '../tools/tool.ts';
import { toolsOfRole } from '../tools/toolbox.ts';
import { patchLimitsOf } from './patch-limits.ts';

const MAX_LOG_BYTES = 1024 * 1024;

export const work: Step<'work'> = {
  command: 'work',
  finding: 'work',
  file: (paths) => paths.workFinding,
  run: async (context) => {
    const { paths } = context;
    const start = await readFinding('checkout', paths.checkoutFinding);
    const before = start?.outcome === 'ok' ? await readFinding('setup', paths.treeFinding) : start;
    if (before?.outcome !== 'ok' || start?.base === undefined) return skipped('work', before);
    const brief = await readBrief(paths);
    const log = loopLog({ maxBytes: MAX_LOG_BYTES, say: context.say });
    const end = await workOn(context, { brief, log, patch: await openPatch(context, start.base, await newScratch(context)) });
    await endLeftovers();
    await writeOwnFile(paths.workLog, log.text());
    return handIn(context, { brief, base: start.base, end });
  },
};

/** Not in the out volume, which is small: what an agent adds is stored here before it can be found too large. Nobody has the name before. */
const newScratch = ({ paths }: StepContext): Promise<string> => mkdtemp(join(paths.tmp, 'fleet-patch-'));

const openPatch = async ({ git, paths }: StepContext, base: string, scratch: string): Promise<WorkTreePatch> =>
  WorkTreePatch.open(git, {
    workTree: paths.treeRepository,
    scratch,
    baseObjects: join(paths.bareRepository, 'objects'),
    base,
  });

interface Session {
  readonly brief: Brief;
  readonly patch: WorkTreePatch;
  readonly log: LoopLog;
}

const workOn = async (context: StepContext, { brief, patch, log }: Session): Promise<LoopEnd> => {
  const { config, paths, gateway } = context;
  const endsAt = Date.now() + brief.limits.wallClockSeconds * 1_000;
  const bench: Workbench = {
    repository: await realpath(paths.treeRepository),
    children: context.children,
    env: config.childEnvironment,
    git: context.git,
    patch,
    verifyCommands: brief.verify.commands,
    verifyTimeoutMs: brief.verify.timeoutSeconds * 1_000,
    outputBytes: brief.limits.outputBytes,
    remainingMs: () => Math.max(0, endsAt - Date.now()),
  };
  const { model: modelName, maxTokens, temperature } = brief.agent;
  if (modelName === undefined || maxTokens === undefined) throw new Error('the brief of an attempt names no model');
  const model = gatewayModel({
    baseUrl: `${config.gatewayUrl}/openai/v1`,
    dispatcher: await gateway.dispatcher(),
    token: () => gateway.token(),
    model: modelName,
    temperature: temperature === undefined ? undefined : Number(temperature),
    maxTokens,
  });
  return runLoop(attemptPrompt(brief), brief.limits, { model, tools: toolsOfRole(brief.task.role), bench, log });
};

interface Work {
  readonly brief: Brief;
  readonly base: string;
  readonly end: LoopEnd;
}

/** The patch is taken afresh, after everything that the agent left running has ended. */
const handIn = async (context: StepContext, { brief, base, end }: Work): Promise<Findings['work']> => {
  const spent = { iterations: end.iterations, tokens: end.tokens, summary: shortMessage(end.message) };
  if (end.reason !== 'Done') return { ...failed('work', end.reason, end.message), ...spent };
  const taken = await takePatch(context, base);
  if ('reason' in taken) return { ...failed('work', taken.reason, taken.message), ...spent };
  const refusal = patchRefusal(taken.files, taken.bytes.length, patchLimitsOf(brief));
  if (refusal !== undefined) return { ...failed('work', refusal.reason, refusal.message), ...spent, files: taken.files.length };
  await writeOwnFile(context.paths.patch, taken.bytes);
  return { step: 'work', outcome: 'ok', ...spent, files: taken.files.length };
};

type TakenPatch = { readonly bytes: Buffer; readonly files: readonly ChangedFile[] } | PatchRefusal;

const takePatch = async (context: StepContext, base: string): Promise<TakenPatch> => {
  const scratch = await newScratch(context);
  try {
    const patch = await openPatch(context, base, scratch);
    return { bytes: await patch.diff(), files: await patch.changedFiles() };
  } catch (error) {
    if (error instanceof GitInterrupted)
      return { reason: 'TooLarge', message: `the change is too large to be made a patch: ${error.message}` };
    if (error instanceof GitFailed)
      return { reason: 'PatchInvalid', message: `git cannot make a patch of the tree: ${error.message}` };
    throw error;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
};
