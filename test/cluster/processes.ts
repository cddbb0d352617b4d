/**
 * Looks at processes through /proc, as the machine sees them. A process is known by its id, start time and boot,
 * so that a number used again by the kernel, or left over from before a restart, is never mistaken for ours.
 */
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';

export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks between boot and start of the process. */
  readonly startTicks: string;
  readonly bootId: string;
}

const read = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined; // gone meanwhile
  }
};

interface ProcessStat {
  readonly state: string;
  readonly parent: number;
  readonly startTicks: string;
}

const statOf = (pid: number): ProcessStat | undefined => {
  const text = read(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' '); // the name before may hold spaces and brackets
  return { state: fields[0] ?? '', parent: Number(fields[1]), startTicks: fields[19] ?? '' };
};

const bootId = (): string => (read('/proc/sys/kernel/random/boot_id') ?? '').trim();

export const identify = (pid: number): ProcessIdentity | undefined => {
  const stat = statOf(pid);
  return stat === undefined ? undefined : { pid, startTicks: stat.startTicks, bootId: bootId() };
};

export const isAlive = (identity: ProcessIdentity): boolean => {
  const stat = statOf(identity.pid);
  return stat !== undefined && stat.state !== 'Z' && stat.startTicks === identity.startTicks && identity.bootId === bootId();
};

export const allPids = (): readonly number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);

export const childrenOf = (pid: number): readonly number[] => allPids().filter((candidate) => statOf(candidate)?.parent === pid);

export const commandLine = (pid: number): readonly string[] => (read(`/proc/${pid}/cmdline`) ?? '').split('\0').slice(0, -1);

const pidNamespace = (pid: number): string | undefined => {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return undefined;
  }
};

/** The processes that share the process namespace of `pid`: their id in there -> their id on the machine. */
export const namespaceMembers = (pid: number): ReadonlyMap<number, number> => {
  const wanted = pidNamespace(pid);
  const members = new Map<number, number>();
  if (wanted === undefined) return members;
  for (const candidate of allPids()) {
    if (pidNamespace(candidate) !== wanted) continue;
    const inner = /^NSpid:.*\s(\d+)$/m.exec(read(`/proc/${candidate}/status`) ?? '')?.[1];
    if (inner !== undefined) members.set(Number(inner), candidate);
  }
  return members;
};

/** Kills and waits until nothing of it is left. @throws when it is still there after `timeoutMs` */
export const killAndWait = async (identities: readonly ProcessIdentity[], timeoutMs = 20_000): Promise<void> => {
  const deadline = performance.now() + timeoutMs;
  for (const identity of identities) if (isAlive(identity)) process.kill(identity.pid, 'SIGKILL');
  while (identities.some(isAlive)) {
    if (performance.now() > deadline) throw new Error(`process ${identities.map((i) => i.pid).join(', ')} survives SIGKILL`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};
