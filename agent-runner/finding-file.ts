// A step's finding as text, and the findings of the steps before, read from files that may be hostile.
import {
  FINDING_BYTES,
  findings,
  parseFinding,
  type Finding,
  type Findings,
  type FindingStep,
} from '../crds/contracts/findings.ts';
import { readHostile } from './hostile-file.ts';

/** A finding as text of at most 1,700 bytes that its schema accepts: texts are cut, the longest first, then commands are left out. */
export const findingText = (finding: Finding): string => {
  const record: Record<string, unknown> = { ...finding };
  for (const key of ['message', 'summary']) {
    if (typeof record[key] === 'string') record[key] = record[key].slice(0, 400);
  }
  while (sizeOf(record) > FINDING_BYTES) {
    const longest = ['message', 'summary'].sort((a, b) => lengthOf(record[b]) - lengthOf(record[a]))[0] ?? 'message';
    const { commands } = record;
    if (lengthOf(record[longest]) > 40) record[longest] = shorter(String(record[longest]));
    else if (Array.isArray(commands) && commands.length > 0) record['commands'] = commands.slice(0, -1);
    else delete record[longest];
  }
  return JSON.stringify(findings[finding.step].parse(record));
};

const sizeOf = (record: unknown): number => Buffer.byteLength(JSON.stringify(record));

const lengthOf = (value: unknown): number => (typeof value === 'string' ? value.length : 0);

/** Four fifths of it, without half of a surrogate pair at the end. */
const shorter = (text: string): string => text.slice(0, Math.floor((text.length * 4) / 5)).replace(/[\ud800-\udbff]$/, '');

/** `undefined` when there is none that can be used. */
export const readFinding = async <S extends FindingStep>(step: S, file: string): Promise<Findings[S] | undefined> => {
  const read = await readHostile(file, 4 * FINDING_BYTES);
  return read.kind === 'read' ? parseFinding(step, read.bytes.toString('utf8')) : undefined;
};
