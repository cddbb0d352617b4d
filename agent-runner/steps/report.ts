// Step `report`: reads what the attempt left (hostile files), judges the patch by itself, and puts patch and evidence. May: put artifacts, a receipt.
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Brief } from '../../crds/contracts/brief.ts';
import type { Finding, FindingReason, Findings } from '../../crds/contracts/findings.ts';
import { reportClaim } from '../../crds/contracts/receipts.ts';
import { evidenceBytes, type Evidence } from '../evidence.ts';
import { readFinding } from '../finding-file.ts';
import { putArtifact } from '../gateway/artifacts.ts';
import { receiptRefusal } from '../gateway/receipts.ts';
import type { ChangedFile } from '../git/changed-files.ts';
import type { GitOptions } from '../git/driver.ts';
import { applyToBase } from '../git/patch-application.ts';
import { patchRefusal } from '../git/patch-checks.ts';
import { readHostile } from '../hostile-file.ts';
import { failed, readBrief, shortMessage, skipped, type Step, type StepContext } from '../step.ts';
import { patchLimitsOf } from './patch-limits.ts';
import { readVerifyRecord, type VerifyRecord } from './verify-run.ts';

const MAX_LOG_BYTES = 1024 * 1024;
const MAX_EVIDENCE_LOG = 256 * 1024;

export const report: Step<'report'> = {
  command: 'report',
  finding: 'report',
  file: () => undefined,
  run: async (context) => {
    const { paths, gateway } = context;
    const start = await readFinding('checkout', paths.checkoutFinding);
    if (start?.outcome !== 'ok' || start.base === undefined) return skipped('report', start);
    const brief = await readBrief(paths);
    const work = await readFinding('work', paths.workFinding);
    const judged: Judged = work?.outcome === 'ok' ? await judgePatch(context, brief, start.base) : {};
    const patch = judged.bytes === undefined ? {} : { patch: await putArtifact(gateway, judged.bytes) };
    const record = judged.refusal === undefined ? await readVerifyRecord(paths) : undefined;
    const proof = { ...about(brief, start.base), ...patch, ...spentBy(work), commands: record ?? [], log: await logEnd(context) };
    const told = {
      base: start.base,
      evidence: await putArtifact(gateway, evidenceBytes(proof)),
      ...patch,
      tokens: proof.tokens,
      summary: shortMessage(proof.summary),
      ...countsOf(judged.files),
      ...(record === undefined ? {} : { verify: testCounts(record) }),
    };
    const failure = judged.refusal ?? (await failureOf(context, work, record));
    if (failure !== undefined) return { ...failed('report', failure.reason, failure.message), ...told };
    return proven(context, told);
  },
};

/** Only what may be carried to the branch gets a receipt: a patch that was judged and failed is never taken for one that did not. */
const proven = async ({ gateway }: StepContext, told: Partial<Findings['report']>): Promise<Findings['report']> => {
  const refusal = await receiptRefusal(gateway, reportClaim.parse(told));
  if (refusal !== undefined) return { ...failed('report', 'ArtifactLost', refusal), ...told };
  return { step: 'report', outcome: 'ok', ...told };
};

const spentBy = (work: Findings['work'] | undefined): Pick<Evidence, 'summary' | 'iterations' | 'tokens'> => ({
  summary: work?.summary ?? work?.message ?? '',
  iterations: work?.iterations ?? 0,
  tokens: work?.tokens ?? 0,
});

interface Failure {
  readonly reason: FindingReason;
  readonly message: string;
}

interface Judged {
  /** Absent when the patch cannot be kept as an artifact. */
  readonly bytes?: Buffer;
  readonly files?: readonly ChangedFile[];
  readonly refusal?: Failure;
}

/** Git applies the patch in a scratch index; what it then says of the two trees is judged, not the patch's text. */
const judgePatch = async ({ git, paths }: StepContext, brief: Brief, base: string): Promise<Judged> => {
  const read = await readHostile(paths.patch, brief.limits.patchBytes);
  if (read.kind !== 'read')
    return {
      refusal: {
        reason: 'PatchInvalid',
        message: `the patch cannot be read: ${read.kind === 'absent' ? 'absent' : read.message}`,
      },
    };
  const scratch = join(paths.tmp, 'judge');
  await rm(scratch, { recursive: true, force: true });
  await mkdir(join(scratch, 'objects'), { recursive: true });
  const options: GitOptions = {
    gitDir: paths.bareRepository,
    indexFile: join(scratch, 'index'),
    objectDirectory: join(scratch, 'objects'),
    alternates: join(paths.bareRepository, 'objects'),
  };
  const applied = await applyToBase(git, options, { base, bytes: read.bytes });
  if (applied.kind === 'invalid') return { bytes: read.bytes, refusal: { reason: 'PatchInvalid', message: applied.message } };
  const refusal = patchRefusal(applied.files, read.bytes.length, patchLimitsOf(brief));
  return { bytes: read.bytes, files: applied.files, ...(refusal === undefined ? {} : { refusal }) };
};

type JudgedStep = 'work' | 'verify-setup' | 'verify';

/** What each step can have met. None of them can say that the network is open: steps that run hostile code never stall a Task. */
const believable: Readonly<Record<JudgedStep, readonly FindingReason[]>> = {
  work: [
    'NoChange',
    'GaveUp',
    'BudgetSpent',
    'PatchInvalid',
    'OutOfScope',
    'ProtectedPath',
    'TooLarge',
    'ModelUnavailable',
    'GatewayUnavailable',
    'StepFailed',
    'StepBroken',
  ],
  'verify-setup': ['PatchInvalid', 'SetupFailed', 'StepBroken'],
  verify: ['VerifyFailed', 'StepBroken'],
};

/**
 * The first step that did not end ok says why. Each of them ended with exit code 0, so it wrote its file: one that is missing or unusable
 * is the doing of what the step ran.
 */
const failureOf = async (
  { paths }: StepContext,
  work: Findings['work'] | undefined,
  record: VerifyRecord | undefined,
): Promise<Failure | undefined> => {
  const fresh = await readFinding('verify-setup', paths.freshFinding);
  const verify = await readFinding('verify', paths.verifyFinding);
  const found: readonly (readonly [JudgedStep, Finding | undefined])[] = [
    ['work', work],
    ['verify-setup', fresh],
    ['verify', verify],
  ];
  for (const [step, finding] of found) {
    const failure = failureOfStep(step, finding);
    if (failure !== undefined) return failure;
  }
  return record === undefined ? { reason: 'StepBroken', message: 'verify left no usable record of its commands' } : undefined;
};

const failureOfStep = (step: JudgedStep, finding: Finding | undefined): Failure | undefined => {
  if (finding === undefined) return { reason: 'StepBroken', message: `${step} left no usable finding` };
  if (finding.outcome === 'ok') return undefined;
  const message = finding.message ?? `${step}: ${finding.outcome}`;
  if (finding.reason !== undefined && believable[step].includes(finding.reason)) return { reason: finding.reason, message };
  return { reason: 'StepBroken', message: `${step}: ${finding.reason ?? finding.outcome}: ${message}` };
};

const about = (brief: Brief, base: string) => ({
  version: 1 as const,
  story: brief.story.uid,
  task: { uid: brief.task.uid, id: brief.task.id, title: brief.task.title },
  attempt: brief.attempt,
  agent: brief.agent.name,
  model: brief.agent.model ?? '',
  base,
});

const countsOf = (files: readonly ChangedFile[] | undefined): { files?: number; insertions?: number; deletions?: number } => {
  if (files === undefined) return {};
  const sum = (pick: (file: ChangedFile) => number): number => files.reduce((total, file) => total + pick(file), 0);
  return { files: files.length, insertions: sum((file) => file.insertions), deletions: sum((file) => file.deletions) };
};

const testCounts = (record: VerifyRecord): { passed: number; failed: number } => {
  const passed = record.filter((outcome) => outcome.exitCode === 0).length;
  return { passed, failed: record.length - passed };
};

/** The end of the agent's log, in whole lines. */
const logEnd = async ({ paths }: StepContext): Promise<string> => {
  const read = await readHostile(paths.workLog, MAX_LOG_BYTES);
  if (read.kind !== 'read') return '';
  const text = read.bytes.toString('utf8');
  return text.length <= MAX_EVIDENCE_LOG ? text : text.slice(text.indexOf('\n', text.length - MAX_EVIDENCE_LOG) + 1);
};
