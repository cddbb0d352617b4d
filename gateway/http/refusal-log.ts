// The log of refusals. A step that is refused the same way again and again (403, 429) costs one line a minute with how often it was, not
// one each: otherwise whoever is refused could fill the log.

import { LRUCache } from 'lru-cache';
import { systemClock, type Clock } from '../../runtime/clock.ts';
import type { Fields, Log } from '../../runtime/log.ts';

export interface Refused {
  /** Who was refused: the pod's uid, or an address when nobody knows more. */
  readonly caller: string;
  readonly status: number;
  readonly code: string;
  readonly fields: Fields;
}

interface Repeats {
  readonly last: Refused;
  /** Those since the last line. */
  readonly count: number;
  readonly cancel: () => void;
}

const WINDOW_MS = 60_000;
const MAX_CALLERS = 4_096;
const COUNTED: ReadonlySet<number> = new Set([403, 429]);

/** The caller's own limits are no failure of ours; what is not listed yet is expected. */
const levelOf = ({ status, code }: Refused): 'warn' | 'error' => (status >= 500 && code !== 'NotListedYet' ? 'error' : 'warn');

export class RefusalLog {
  readonly #log: Log;
  readonly #clock: Clock;
  /** By caller and code; whom there is no room for is told of at once. */
  readonly #repeats = new LRUCache<string, Repeats>({
    max: MAX_CALLERS,
    dispose: (repeats, _key, reason) => {
      if (reason !== 'set') this.#end(repeats);
    },
  });

  constructor(log: Log, clock: Clock = systemClock) {
    this.#log = log;
    this.#clock = clock;
  }

  write(refused: Refused): void {
    const key = `${refused.caller} ${refused.code}`;
    const known = this.#repeats.get(key);
    if (known !== undefined) this.#repeats.set(key, { ...known, last: refused, count: known.count + 1 });
    else {
      this.#write(refused, 1);
      if (COUNTED.has(refused.status)) this.#open(key, refused);
    }
  }

  /** Writes what was only counted so far. */
  end(): void {
    this.#repeats.clear();
  }

  #open(key: string, last: Refused): void {
    const cancel = this.#clock.after(WINDOW_MS, () => {
      const repeated = (this.#repeats.peek(key)?.count ?? 0) > 0;
      this.#repeats.delete(key);
      if (repeated) this.#open(key, last);
    });
    this.#repeats.set(key, { last, count: 0, cancel });
  }

  #end({ last, count, cancel }: Repeats): void {
    cancel();
    if (count > 0) this.#write(last, count);
  }

  #write(refused: Refused, count: number): void {
    const { status, code, fields } = refused;
    this.#log[levelOf(refused)]('refused', { status, code, ...fields, ...(count > 1 && { count }) });
  }
}
