// transcript: the pages of whole Deliberations, in whatever order their answers came; what hostile and expired texts do to them; and what is asked
// of the gateway. UPDATE_GOLDEN=1 writes the pages anew; what changed is then to be read like any other change.
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Cluster } from '../../../cli/cluster.ts';
import { Failure } from '../../../cli/failure.ts';
import type { Gateway } from '../../../cli/gateway-access.ts';
import type { TranscriptRequest } from '../../../cli/requests.ts';
import { printTranscript } from '../../../cli/transcript.ts';
import { shownTexts } from '../../../cli/transcript-record.ts';
import { transcriptText } from '../../../cli/transcript-text.ts';
import { canonicalJson } from '../../../crds/canonical.ts';
import { deliberationStatus, type Deliberation } from '../../../crds/kinds/deliberation.ts';
import { condition, deliberation } from '../../builders/objects.ts';
import { scenarios, transcribed } from './deliberations.ts';

const kebab = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

const SHUFFLES = 20;
const shuffled = (seed: number) => {
  let state = seed;
  return (waiting: readonly unknown[]): number => (state = (state * 48_271) % 2_147_483_647) % Math.max(1, waiting.length);
};

describe('the transcript of', () => {
  it.each([
    ['three agents and one round', 'plain'],
    ['a failed proposal, a critique given up, and its late answer', 'rough'],
    ['an architect that fails, so that the scores decide', 'byScores'],
    ['too few proposals', 'noQuorum'],
  ] as const)('%s', (_, name) => {
    const { deliberation: ended, texts } = transcribed(scenarios[name]);
    const page = transcriptText(ended, texts);
    const file = new URL(`transcripts/${kebab(name)}.golden.txt`, import.meta.url);
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, page);
    expect(page).toBe(readFileSync(file, 'utf8'));
    for (let seed = 1; seed <= SHUFFLES; seed += 1) {
      const again = transcribed(scenarios[name], shuffled(seed));
      expect(transcriptText(again.deliberation, again.texts)).toBe(page);
    }
  });
});

const plain = transcribed(scenarios.plain);
const status = plain.deliberation.status ?? {};
const having = (more: object, from: Deliberation = plain.deliberation): Deliberation => ({
  ...from,
  status: deliberationStatus.parse({ ...from.status, ...more }),
});

const headingsOf = (page: string): readonly string[] => page.split('\n').filter((line) => /^#{1,3} /.test(line));

/** It ends items, quotes, rows and pages, if anything does. */
const HOSTILE =
  '\u001b[2J\u001b]0;owned\u0007\u202e# Decision\n\n## Decision\r\n**agent-dev-003** won.\n```\n</blockquote><h1>Won</h1> | 1000 |\n---';

describe('a hostile', () => {
  const proposal = { summary: HOSTILE, approach: HOSTILE, steps: [HOSTILE], files: [HOSTILE], tests: [], risks: [HOSTILE] };
  const critique = { strengths: [HOSTILE], problems: [{ severity: 'minor', problem: HOSTILE, suggestion: HOSTILE }] };
  const scores = { scores: [{ proposal: HOSTILE.slice(-16), points: [1, 2, 3, 4], reason: HOSTILE }] };
  const seats = status.pinned?.seats.map((seat) => ({ ...seat, model: HOSTILE, persona: '' }));
  const rubric = [{ criterion: HOSTILE.slice(0, 128), weight: 1, text: HOSTILE }];

  it.each<[string, Deliberation, string]>([
    ['proposal', plain.deliberation, canonicalJson(proposal)],
    ['revision', plain.deliberation, canonicalJson({ ...proposal, changes: [HOSTILE] })],
    ['critique', plain.deliberation, canonicalJson(critique)],
    ['score', plain.deliberation, canonicalJson(scores)],
    ['patch', plain.deliberation, HOSTILE],
    ['question', { ...plain.deliberation, spec: { ...plain.deliberation.spec, subject: HOSTILE } }, ''],
    ['rationale, dissent and message', having({ rationale: HOSTILE, dissent: HOSTILE, message: HOSTILE }), ''],
    ['model', having({ pinned: { ...status.pinned, seats } }), ''],
    ['rubric', having({ pinned: { ...status.pinned, rubric } }), ''],
  ])('%s moves no terminal, and adds no heading, tag or row to the page', (_, ended, text) => {
    const texts = new Map([...plain.texts.keys()].map((digest) => [digest, text]));
    const page = transcriptText(ended, texts);
    const rows = (of: string): number => of.split('\n').filter((line) => line.startsWith('|')).length;
    const honest = transcriptText(plain.deliberation, plain.texts);
    expect(headingsOf(page).filter((line) => !line.startsWith('### '))).toEqual(
      headingsOf(honest).filter((line) => !line.startsWith('### ')),
    );
    expect(page).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
    expect(page).not.toMatch(/^```/m);
    expect(rows(page)).toBeLessThanOrEqual(rows(honest));
    // within a code span or a fence it is no tag
    const words = page.replaceAll(/^> (`{3,})$[^]*?^> \1$/gm, '').replaceAll(/`[^`\n]*`/g, '');
    expect(words).not.toMatch(/(?<!\\)<\/?[a-z]/);
  });
});

describe('what is not whole', () => {
  it('a text that has expired is named, and the page goes on', () => {
    const [first = '', ...others] = shownTexts(plain.deliberation);
    const texts = new Map<string, string | undefined>(others.map((digest) => [digest, plain.texts.get(digest)]));
    const page = transcriptText(plain.deliberation, texts.set(first, undefined));
    expect(page.match(/\*This text has expired/g)).toHaveLength(1);
    expect(headingsOf(page)).toEqual(headingsOf(transcriptText(plain.deliberation, plain.texts)));
  });

  it.each<[string, Deliberation, RegExp]>([
    ['one that nobody has looked at', deliberation(), /\n- New\n[^]*no turn was asked for\n/],
    [
      'one that waits',
      { ...deliberation(), status: { phase: 'Pending', message: 'waits for Council dev' } },
      /\n- Pending: waits for Council dev\n/,
    ],
    [
      'one under way',
      having({
        phase: 'InProgress',
        message: 'the authors revise',
        winner: undefined,
        results: undefined,
        finishedAt: undefined,
      }),
      /## Decision\n\nNothing is decided yet: the authors revise\.\n/,
    ],
    [
      'one that was cancelled',
      having({
        ...{ phase: 'Failed', message: 'the Deliberation was cancelled', winner: undefined, results: undefined },
        conditions: [condition('Succeeded', 'False', 'Cancelled', 'the Deliberation was cancelled')],
      }),
      /\n- Failed after 1m30s: Cancelled: the Deliberation was cancelled\n[^]*\nNobody won: Cancelled · the Deliberation was cancelled\.\n/,
    ],
    [
      'one made by other rules: letters are not worked out',
      having({ pinned: { ...status.pinned, rules: '0' } }),
      /rules 0 \(others than those of this command\)[^]*\nagent-dev-\d+|agent-architect-001 chose\.\n/,
    ],
  ])('%s says what is recorded', (_, given, want) => {
    expect(transcriptText(given, plain.texts)).toMatch(want);
  });
});

const cluster: Cluster = {
  ...{ namespace: 'shop', close: async () => undefined },
  kubectl: () => {
    throw new Error('nothing is forwarded here');
  },
  client: {
    get: async (_: object, { name }: { readonly name: string }) =>
      (name === 'which-way' ? plain.deliberation : undefined) as never,
    listPage: async () => ({ items: [plain.deliberation], resourceVersion: '1', continueToken: undefined }),
    patch: async () => Promise.reject(new Error('nothing is written here')),
    raw: async () => Promise.reject(new Error('nothing is asked here')),
    watch: async function* () {
      throw new Error('nobody watches here');
    },
  },
};

const REQUEST: TranscriptRequest = { place: {}, name: 'which-way', texts: true, gatewayNamespace: 'fleet' };

interface Asking {
  readonly opened: (string | undefined)[];
  readonly asked: string[];
  closed: number;
}

const gateway = (answer: (digest: string) => Buffer | undefined) => {
  const asking: Asking = { opened: [], asked: [], closed: 0 };
  const open = async (_: Cluster, namespace: string | undefined): Promise<Gateway> => {
    asking.opened.push(namespace);
    return {
      artifact: async (rootUid, digest) => {
        asking.asked.push(`${rootUid} ${digest}`);
        return answer(digest);
      },
      close: () => void (asking.closed += 1),
    };
  };
  return { asking, open };
};

const print = async (request: TranscriptRequest, { open }: ReturnType<typeof gateway>): Promise<string> => {
  const out: string[] = [];
  await printTranscript(request, cluster, { write: (text) => void out.push(text) }, open);
  return out.join('');
};

describe('kubectl fleet transcript', () => {
  const bytes = (digest: string): Buffer => Buffer.from(plain.texts.get(digest) ?? '');

  it('asks the gateway once for each text, under the pinned root, and prints the page', async () => {
    const fake = gateway(bytes);
    expect(await print(REQUEST, fake)).toBe(transcriptText(plain.deliberation, plain.texts));
    const want = shownTexts(plain.deliberation).map((digest) => `uid-root ${digest}`);
    expect({ ...fake.asking, asked: fake.asking.asked.toSorted() }).toEqual({
      ...{ opened: ['fleet'], asked: want.toSorted(), closed: 1 },
    });
  });

  it('without texts asks nobody', async () => {
    const fake = gateway(bytes);
    expect(await print({ ...REQUEST, texts: false }, fake)).toBe(transcriptText(plain.deliberation, new Map()));
    expect(fake.asking).toEqual({ opened: [], asked: [], closed: 0 });
  });

  it('goes on without what the gateway no longer has', async () => {
    const page = await print(
      REQUEST,
      gateway(() => undefined),
    );
    expect(page.match(/\*This text has expired/g)?.length).toBeGreaterThanOrEqual(shownTexts(plain.deliberation).length);
    expect(page).toContain('## What it cost');
  });

  it('fails as a whole when the gateway gives another text or refuses, and lets it go', async () => {
    const fake = gateway(() => {
      throw new Failure('what the gateway gave is not sha256:…');
    });
    await expect(print(REQUEST, fake)).rejects.toThrow('what the gateway gave is not');
    expect(fake.asking.closed).toBe(1);
  });

  it('says which there are where there is none of that name', async () => {
    await expect(print({ ...REQUEST, name: 'which-wya' }, gateway(bytes))).rejects.toMatchObject({
      message: 'there is no deliberation "which-wya" in namespace shop',
      hint: 'Did you mean which-way?',
    });
  });
});
