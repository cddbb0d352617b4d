/**
 * Gives each box a number, from which its subnet and its link's name follow. A box keeps its number while it is down,
 * unless a link that is not ours has taken it meanwhile. It reads the boxes' directory and the machine's links.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { run } from './command.ts';
import { boxesDir, boxLayout, linkNote, type BoxLayout } from './layout.ts';
import { withLock } from './lock.ts';
import { readState, writeState } from './state-file.ts';

export interface BoxAddress {
  readonly index: number;
  /** The box's own address: API server, kubelet, DNS. */
  readonly boxIp: string;
  /** The machine's address as the box and its pods see it. */
  readonly hostIp: string;
  readonly prefix: 24;
  /** The machine's end of the veth pair. */
  readonly link: string;
}

const FIRST = 1; // 10.250.0.0/24 is left to whoever builds such a box by hand
const LAST = 254;

export const addressOf = (index: number): BoxAddress => ({
  index,
  boxIp: `10.250.${index}.1`,
  hostIp: `10.250.${index}.254`,
  prefix: 24,
  link: `swefleet${index}`,
});

const numbersInUse = (cacheDir: string, except: string): ReadonlySet<number> => {
  const boxes = readdirSync(boxesDir(cacheDir), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== except)
    .map((entry) => readState<BoxAddress>(boxLayout(cacheDir, entry.name).address)?.index);
  const links = readdirSync('/sys/class/net').map((name) => /^swefleet(\d+)$/.exec(name)?.[1]);
  const addresses = Object.values(networkInterfaces())
    .flatMap((of) => of ?? [])
    .map((of) => /^10\.250\.(\d+)\./.exec(of.address)?.[1]);
  return new Set([...boxes, ...links, ...addresses].filter((value) => value !== undefined).map(Number));
};

const noteOn = (link: string): string | undefined => {
  try {
    return readFileSync(`/sys/class/net/${link}/ifalias`, 'utf8').trim();
  } catch {
    return undefined;
  }
};

/** Takes away a link that a box of this state directory left behind, if there is one. */
export const removeLink = async (layout: BoxLayout): Promise<void> => {
  const link = readState<BoxAddress>(layout.address)?.link;
  if (link === undefined || noteOn(link) !== linkNote(layout)) return;
  await run(['ip', 'link', 'del', link]).catch((error: unknown) => {
    if (noteOn(link) === linkNote(layout)) throw error; // else the kernel was quicker
  });
};

/** The address of a box that is not running: the one it had, or else the first free one. */
export const claimAddress = async (cacheDir: string, layout: BoxLayout): Promise<BoxAddress> =>
  withLock(join(boxesDir(cacheDir), '.addresses.lock'), async () => {
    const taken = numbersInUse(cacheDir, layout.name);
    const kept = readState<BoxAddress>(layout.address)?.index;
    const candidates = [...(kept === undefined ? [] : [kept]), ...Array.from({ length: LAST - FIRST + 1 }, (_, n) => FIRST + n)];
    const index = candidates.find((candidate) => !taken.has(candidate));
    if (index === undefined) throw new Error(`no free subnet: all of 10.250.${FIRST}.0/24 to 10.250.${LAST}.0/24 are taken`);
    const address = addressOf(index);
    writeState(layout.address, address);
    return address;
  });
