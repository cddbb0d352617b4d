// Which address the node gave to which pod, at the moment it does: read from the results that the CNI library keeps, one file a pod and network. The API tells
// the same about a second later, too late for a process whose first act is a DNS query. Reads that one directory.
import { mkdirSync, readdirSync, readFileSync, watch, type FSWatcher } from 'node:fs';
import { join } from 'node:path';

export interface Assignment {
  readonly uid: string;
  readonly ip: string;
}

interface CniResult {
  readonly ifName?: string;
  readonly cniArgs?: readonly (readonly [string, string])[];
  readonly result?: { readonly ips?: readonly { readonly address?: string }[] };
}

/** `undefined` for what is no pod's IPv4 address: a file half written, the loopback link. */
export const parseAssignment = (text: string): Assignment | undefined => {
  let parsed: CniResult;
  try {
    parsed = JSON.parse(text) as CniResult;
  } catch {
    return undefined;
  }
  const uid = parsed.cniArgs?.find(([name]) => name === 'K8S_POD_UID')?.[1];
  const ip = parsed.result?.ips?.map(({ address }) => address?.split('/')[0]).find((address) => /^[\d.]+$/.test(address ?? ''));
  return parsed.ifName === 'lo' || uid === undefined || ip === undefined ? undefined : { uid, ip };
};

export class AssignedAddresses {
  readonly #directory: string;
  readonly #onChange: () => void;
  readonly #byFile = new Map<string, Assignment>();
  readonly #watcher: FSWatcher;

  /** Watches from now on; the directory is made if it is not there yet. */
  constructor(directory: string, onChange: () => void) {
    this.#directory = directory;
    this.#onChange = onChange;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    this.#watcher = watch(directory, (_event, name) => this.#changed(name === null ? readdirSync(directory) : [name]));
    for (const name of readdirSync(directory)) this.#take(name);
  }

  /** IP by pod uid. */
  get current(): ReadonlyMap<string, string> {
    return new Map([...this.#byFile.values()].map(({ uid, ip }) => [uid, ip]));
  }

  close(): void {
    this.#watcher.close();
  }

  #changed(names: readonly string[]): void {
    let changed = false;
    for (const name of names) changed = this.#take(name) || changed;
    if (changed) this.#onChange();
  }

  #take(name: string): boolean {
    const found = this.#read(name);
    const old = this.#byFile.get(name);
    if (found === undefined) this.#byFile.delete(name);
    else this.#byFile.set(name, found);
    return found?.uid !== old?.uid || found?.ip !== old?.ip;
  }

  #read(name: string): Assignment | undefined {
    try {
      return parseAssignment(readFileSync(join(this.#directory, name), 'utf8'));
    } catch (error) {
      // Gone again: the pod has ended.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }
}
