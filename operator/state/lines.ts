// Who deliberates on which model endpoint and who may begin next, kept up to date: what is touched is judged anew before anybody asks. What a
// claim is, and which comes first, is the controllers' to say (controllers/deliberation/line.ts).

import { admitted, mostOf, type LineClaim } from '../../controllers/deliberation/line.ts';
import type { DeliberationCore, LineSeen } from '../../controllers/deliberation/seen.ts';
import type { PlatformConfig } from '../../crds/contracts/platform.ts';

export interface LinesOptions {
  readonly platform: PlatformConfig;
  /** The claim of a Deliberation as it is now; undefined: it is gone, or in no line. */
  readonly claimAt: (key: string) => LineClaim | undefined;
  readonly claimOf: (core: DeliberationCore) => LineClaim | undefined;
  /** Something was touched: a good moment, soon, to ask who is next. */
  readonly onTouched: () => void;
}

interface Line {
  readonly claims: Map<string, LineClaim>;
  /** Keys of those who may begin; undefined: to be found out anew. */
  next: ReadonlySet<string> | undefined;
}

const keyOf = ({ namespace, name }: LineClaim): string => `${namespace}/${name}`;
const NEXT: LineSeen = { isNext: true };
const NOT_NEXT: LineSeen = { isNext: false };
const FIELDS = ['endpoint', 'standing', 'agents', 'priority', 'born'] as const satisfies readonly (keyof LineClaim)[];

export class Lines {
  readonly #options: LinesOptions;
  readonly #lines = new Map<string, Line>();
  readonly #claims = new Map<string, LineClaim>();
  readonly #touched = new Set<string>();
  /** Keys that were told to be next. */
  #told = new Set<string>();

  constructor(options: LinesOptions) {
    this.#options = options;
  }

  touch(key: string): void {
    this.#touched.add(key);
    this.#options.onTouched();
  }

  /** Of a Deliberation as it was observed. */
  line(core: DeliberationCore): LineSeen {
    const { namespace, name } = core.deliberation.metadata;
    const key = `${namespace}/${name}`;
    this.#touched.delete(key);
    this.#settle();
    this.#put(key, this.#options.claimOf(core));
    const me = this.#claims.get(key);
    if (me === undefined || me.standing === 'running') return NEXT;
    const isNext = this.#nextAt(me.endpoint).has(key);
    if (!isNext) this.#told.delete(key);
    return isNext ? NEXT : NOT_NEXT;
  }

  /** Keys of those who may begin now, each told once until it has looked in vain. */
  next(): readonly string[] {
    this.#settle();
    const keys = [...this.#lines.keys()].flatMap((endpoint) => [...this.#nextAt(endpoint)]);
    const news = keys.filter((key) => !this.#told.has(key));
    this.#told = new Set(keys);
    return news;
  }

  #settle(): void {
    for (const key of this.#touched) this.#put(key, this.#options.claimAt(key));
    this.#touched.clear();
  }

  #nextAt(endpoint: string): ReadonlySet<string> {
    const line = this.#lines.get(endpoint);
    if (line === undefined) return new Set();
    line.next ??= new Set(admitted([...line.claims.values()], mostOf(this.#options.platform, endpoint)).map(keyOf));
    return line.next;
  }

  #put(key: string, claim: LineClaim | undefined): void {
    const before = this.#claims.get(key);
    if (
      before === claim ||
      (before !== undefined && claim !== undefined && FIELDS.every((field) => before[field] === claim[field]))
    )
      return;
    if (before !== undefined) this.#lineAt(before.endpoint).claims.delete(key);
    this.#claims.delete(key);
    if (claim === undefined) return;
    this.#claims.set(key, claim);
    this.#lineAt(claim.endpoint).claims.set(key, claim);
  }

  /** To be changed. */
  #lineAt(endpoint: string): Line {
    const line = this.#lines.get(endpoint) ?? { claims: new Map(), next: undefined };
    line.next = undefined;
    this.#lines.set(endpoint, line);
    return line;
  }
}
