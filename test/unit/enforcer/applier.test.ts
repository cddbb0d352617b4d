// The applier: what it applies, when, and what it says. The kernel is a list of texts here, and time a promise that the test resolves.
import { describe, expect, it } from 'vitest';
import { Applier } from '../../cluster/enforcer/applier.ts';
import type { Compiled } from '../../cluster/enforcer/compile.ts';

interface Bench {
  readonly applier: Applier;
  readonly applied: string[];
  readonly said: string[];
  /** What the objects say now. */
  now: Compiled;
  /** What nft answers to each next call, until it is empty; then it succeeds. */
  readonly failures: string[];
}

const compiled = (text: string, rest: Partial<Compiled> = {}): Compiled => ({ text, refused: [], disputed: [], ...rest });

const bench = (now: Compiled): Bench => {
  const applied: string[] = [];
  const said: string[] = [];
  const failures: string[] = [];
  const state: { now: Compiled } = { now };
  const applier = new Applier({
    compile: () => state.now,
    apply: async (text) => {
      const failure = failures.shift();
      if (failure !== undefined) throw new Error(failure);
      applied.push(text);
    },
    log: (line) => said.push(line),
    sleep: () => Promise.resolve(),
  });
  return Object.assign(state, { applier, applied, said, failures });
};

describe('the applier', () => {
  it('applies what changed, and nothing when the text is the same', async () => {
    const b = bench(compiled('a'));
    await b.applier.changed();
    await b.applier.changed();
    b.now = compiled('b');
    await b.applier.changed();
    expect(b.applied).toEqual(['a', 'b']);
  });

  it('takes a burst of changes together', async () => {
    const b = bench(compiled('a'));
    const first = b.applier.changed();
    b.now = compiled('b');
    await Promise.all([first, b.applier.changed(), b.applier.changed()]);
    expect(b.applied).toEqual(['b']);
  });

  it('tries again when nft fails, with what is true by then, and is not current meanwhile', async () => {
    const b = bench(compiled('a'));
    b.failures.push('no such thing');
    expect(b.applier.health.current).toBe(false);
    await b.applier.changed();
    expect(b.applied).toEqual(['a']);
    expect(b.said).toEqual(['not applied, the rules before stay in force: no such thing']);
    expect(b.applier.health).toEqual({ current: true, refused: [], error: undefined });
  });

  it('names a refused policy once as long as it stands, and again when it comes back', async () => {
    const refused = [{ policy: 'a/p', field: 'spec.x', why: 'spec.x: this field is not known' }];
    const b = bench(compiled('1', { refused }));
    await b.applier.changed();
    b.now = compiled('2', { refused });
    await b.applier.changed();
    expect(b.applier.health.refused).toEqual(refused);
    b.now = compiled('3');
    await b.applier.changed();
    expect(b.applier.health.refused).toEqual([]);
    b.now = compiled('4', { refused, disputed: ['10.244.0.9'] });
    await b.applier.changed();
    const line = 'refused: NetworkPolicy a/p allows nothing, because spec.x: this field is not known';
    expect(b.said).toEqual([line, line, 'shut: 10.244.0.9 is claimed by two running pods']);
  });
});
