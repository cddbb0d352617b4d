// Who has a place and who gets the next, kept up to date: a key that is touched is judged anew before anybody asks. What a claim is, and
// which comes first, is the controllers' to say (controllers/task/capacity.ts); here it is only counted and kept in lines.
//
//   touch(key) ─► to be judged ─► claims ─► line of the Story ─► line of the namespace ─► line of the cluster ─► place, next
//                                            (each formed anew only after something in it has changed)

import { firstInLine, nextOfStory, placeSeen, type Candidate, type Claim } from '../../controllers/task/capacity.ts';
import type { Claims } from '../../controllers/task/observe.ts';
import type { PlaceSeen, TaskCore } from '../../controllers/task/seen.ts';
import type { PlatformConfig } from '../../crds/contracts/platform.ts';

export interface PlacesOptions {
  readonly capacity: PlatformConfig['capacity'];
  /** For one moment. */
  readonly makeClaims: () => Claims;
  /** Something was touched: a good moment, soon, to ask who is next. */
  readonly onTouched: () => void;
}

/** Those that share a limit. */
interface Line<Member> {
  readonly members: Map<string, Member>;
  placed: number;
  /** undefined: to be formed anew. */
  next: readonly Candidate[] | undefined;
}

type StoryLine = Line<Claim>;
type NamespaceLine = Line<StoryLine>;

const emptyLine = <Member>(): Line<Member> => ({ members: new Map(), placed: 0, next: undefined });

const lineIn = <Member>(lines: Map<string, Line<Member>>, name: string): Line<Member> => {
  const line = lines.get(name) ?? emptyLine<Member>();
  lines.set(name, line);
  return line;
};

const keyOf = ({ namespace, name }: Claim): string => `${namespace}/${name}`;
/** In one namespace: a Story and its Tasks never lie apart. */
const storyOf = ({ namespace, storyUid }: Claim): string => `${namespace}/${storyUid}`;
/** Some ten milliseconds of judging: what touches all Tasks of a cluster does not stop everything else. */
const AT_ONCE = 250;

const NO_PLACE: PlaceSeen = { taken: { cluster: 0, namespace: 0, story: 0 }, overlaps: false };
const NO_LINE = emptyLine<never>();

const isSame = (a: Claim | undefined, b: Claim | undefined): boolean =>
  a === b ||
  (a !== undefined &&
    b !== undefined &&
    (Object.keys(b) as (keyof Claim)[]).every((field) =>
      field === 'fileScope' ? a.fileScope.join('\n') === b.fileScope.join('\n') : a[field] === b[field],
    ));

export class Places {
  readonly #options: PlacesOptions;
  readonly #touched = new Set<string>();
  readonly #unsure = new Set<string>();
  readonly #claims = new Map<string, Claim>();
  readonly #stories = new Map<string, StoryLine>();
  readonly #namespaces = new Map<string, NamespaceLine>();
  #placed = 0;
  #next: readonly Candidate[] | undefined;
  /** Keys that were told to be next and have not looked since, or have and may go. */
  #told = new Set<string>();

  constructor(options: PlacesOptions) {
    this.#options = options;
  }

  /** The Task itself, or a Job of it: it may have taken its place or given it back. */
  touch(key: string): void {
    this.#touched.add(key);
    this.#options.onTouched();
  }

  /** Something around it, of which many Tasks hang. It may be judged a little later, as nobody takes a place without being judged. */
  touchLater(key: string): void {
    this.#unsure.add(key);
    this.#options.onTouched();
  }

  /** Of a Task as it was observed. One that is finished has no use for it. */
  place(core: TaskCore): PlaceSeen {
    const { namespace, name } = core.task.metadata;
    const key = `${namespace}/${name}`;
    this.#touched.delete(key);
    this.#unsure.delete(key);
    const claims = this.#options.makeClaims();
    this.#settle(claims);
    this.#put(key, claims.of(core));
    const me = this.#claims.get(key);
    if (me === undefined) return NO_PLACE;
    const story = this.#stories.get(storyOf(me)) ?? NO_LINE;
    const mine = me.standing === 'placed' ? 1 : 0;
    const placed = {
      cluster: this.#placed - mine,
      namespace: (this.#namespaces.get(me.namespace)?.placed ?? 0) - mine,
      story: story.placed - mine,
    };
    const next = this.#nextOfCluster();
    if (!next.some(({ claim }) => claim === me)) this.#told.delete(key);
    return placeSeen(me, { family: [...story.members.values()], line: this.#nextOfStory(story), next, placed });
  }

  /** Keys of those who get a place now, each told once until it has looked and found none. */
  next(): readonly string[] {
    this.#settle(this.#options.makeClaims());
    const keys = this.#nextOfCluster().map(({ claim }) => keyOf(claim));
    const news = keys.filter((key) => !this.#told.has(key));
    this.#told = new Set(keys);
    if (this.#unsure.size > 0) this.#options.onTouched();
    return news;
  }

  /** Those of them who were told, and perhaps looked in vain, are told again. */
  retell(suits: (key: string) => boolean): void {
    for (const key of this.#told) if (suits(key)) this.#told.delete(key);
    this.#options.onTouched();
  }

  #settle(claims: Claims): void {
    for (const key of this.#touched) this.#put(key, claims.at(key));
    this.#touched.clear();
    for (const key of [...this.#unsure].slice(0, AT_ONCE)) {
      this.#put(key, claims.at(key));
      this.#unsure.delete(key);
    }
  }

  #put(key: string, claim: Claim | undefined): void {
    const before = this.#claims.get(key);
    if (isSame(before, claim)) return;
    if (before !== undefined) this.#change(before, -1);
    if (claim === undefined) this.#claims.delete(key);
    else {
      this.#claims.set(key, claim);
      this.#change(claim, 1);
    }
  }

  #change(claim: Claim, by: 1 | -1): void {
    const { namespace } = claim;
    const storyName = storyOf(claim);
    const story = lineIn(this.#stories, storyName);
    const line = lineIn(this.#namespaces, namespace);
    if (by === 1) story.members.set(keyOf(claim), claim);
    else story.members.delete(keyOf(claim));
    line.members.set(storyName, story);
    const places = claim.standing === 'placed' ? by : 0;
    for (const each of [story, line]) {
      each.placed += places;
      each.next = undefined;
    }
    this.#placed += places;
    this.#next = undefined;
    if (story.members.size > 0) return;
    this.#stories.delete(storyName);
    line.members.delete(storyName);
    if (line.members.size === 0) this.#namespaces.delete(namespace);
  }

  #nextOfCluster(): readonly Candidate[] {
    const free = this.#options.capacity.workspaces - this.#placed;
    this.#next ??=
      free <= 0
        ? []
        : firstInLine(
            [...this.#namespaces.values()].map((line) => this.#nextOfNamespace(line)),
            free,
          );
    return this.#next;
  }

  #nextOfNamespace(line: NamespaceLine): readonly Candidate[] {
    const free = this.#options.capacity.perNamespace - line.placed;
    line.next ??=
      free <= 0
        ? []
        : firstInLine(
            [...line.members.values()].map((story) => this.#nextOfStory(story)),
            free,
          );
    return line.next;
  }

  #nextOfStory(story: StoryLine): readonly Candidate[] {
    story.next ??= nextOfStory([...story.members.values()], this.#options.capacity.perStory);
    return story.next;
  }
}
