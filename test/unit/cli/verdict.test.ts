// approve and reject against an API server of one page: what is shown, asked, written; and when nothing is.

import { describe, expect, it } from 'vitest';
import { plain, type Terminal } from '../../../cli/terminal.ts';
import { Failure } from '../../../cli/failure.ts';
import type { VerdictRequest } from '../../../cli/requests.ts';
import { decide } from '../../../cli/verdict.ts';
import { planDigest, scopeDigest } from '../../../crds/digests.ts';
import type { Plan } from '../../../crds/kinds/plan.ts';
import type { Story } from '../../../crds/kinds/story.ts';
import { ApiError } from '../../../kube/error.ts';
import { COMMIT, DIGEST, plan, story, work } from '../../builders/objects.ts';

const TASKS = [work('api'), work('docs', { phase: 'DOCS', dependsOn: ['api'], fileScope: ['docs/**'] })];
const PARSED = planDigest({ storyUid: 'uid-login', scopeDigest: DIGEST, revision: 1, tasks: TASKS });
const parsed = { phase: 'Parsed', storyUid: 'uid-login', scopeDigest: DIGEST, digest: PARSED, tasks: TASKS } as const;
const thePlan = (more: object = {}, status: object = {}): Plan => plan(TASKS, more, { ...parsed, ...status });

const draft = story();
const SCOPE = scopeDigest(draft.spec);
const inDraft = (more: object = {}): Story => story(more, { phase: 'Draft', scopeDigest: SCOPE });
const inTest = (more: object = {}): Story => story(more, { phase: 'Test', headCommit: COMMIT, branch: 'fleet/shop/login' });

class Server {
  readonly patches: object[] = [];
  conflicts = 0;
  readonly objects: Map<string, Story | Plan>;

  constructor(...objects: readonly (Story | Plan)[]) {
    this.objects = new Map(objects.map((object) => [`${object.kind}/${object.metadata.name}`, object]));
  }

  readonly get = async (resource: { readonly kind: string }, ref: { readonly name: string }) =>
    this.objects.get(`${resource.kind}/${ref.name}`) as never;

  readonly listPage = async (resource: { readonly kind: string }) => ({
    items: [...this.objects.values()].filter(({ kind }) => kind === resource.kind),
    resourceVersion: '1',
    continueToken: undefined,
  });

  readonly patch = async (_resource: object, _ref: object, patch: object) => {
    if (this.conflicts > 0) {
      this.conflicts -= 1;
      throw new ApiError({ sort: 'conflict', request: 'PATCH', code: 409, message: 'changed' });
    }
    this.patches.push(patch);
    return {};
  };

  readonly raw = async () => ({ status: { userInfo: { username: 'bob' } } });
  readonly watch = async function* () {
    throw new Error('nobody watches here');
  };
}

interface Person {
  readonly said: string[];
  readonly terminal: Terminal;
}

const person = (answer?: string): Person => {
  const said: string[] = [];
  const ask = async (question: string): Promise<string> => {
    said.push(question);
    return answer ?? '';
  };
  const terminal: Terminal = {
    ...{ write: (text) => void said.push(text), complain: (line) => void said.push(line), paint: plain, isInteractive: false },
    ask: answer === undefined ? undefined : ask,
  };
  return { said, terminal };
};

const approvePlan: VerdictRequest = { verb: 'approve', place: {}, target: { kind: 'plan', name: 'login-1' }, yes: true };
const approveGate = (gate: 'scope' | 'test' | 'docs'): VerdictRequest => ({
  verb: 'approve',
  place: {},
  target: { kind: 'story', name: 'login', gate },
  yes: true,
});

const run = async (command: VerdictRequest, server: Server, by: Person = person()): Promise<string> => {
  try {
    await decide(command, { client: server, namespace: 'shop' }, by.terminal);
    return 'done';
  } catch (error) {
    if (error instanceof Failure) return `${error.message}${error.hint === undefined ? '' : ` / ${error.hint}`}`;
    throw error;
  }
};

describe('a verdict that is written', () => {
  it.each<{ readonly given: string; readonly command: VerdictRequest; readonly object: Story | Plan; readonly want: object }>([
    {
      given: 'approval of a parsed Plan',
      command: approvePlan,
      object: thePlan(),
      want: { spec: { approval: { verdict: 'Approved', by: 'bob', digest: PARSED } } },
    },
    {
      given: 'rejection of a Plan with its reason',
      command: { ...approvePlan, verb: 'reject', reason: 'too large' },
      object: thePlan(),
      want: { spec: { approval: { verdict: 'Rejected', by: 'bob', digest: PARSED, reason: 'too large' } } },
    },
    {
      given: 'approval of the scope in Draft',
      command: approveGate('scope'),
      object: inDraft(),
      want: {
        metadata: { resourceVersion: '1' },
        spec: { approvals: [{ gate: 'scope', digest: SCOPE, verdict: 'Approved', by: 'bob' }] },
      },
    },
    {
      given: 'approval of the head commit in Test, after what was decided before',
      command: approveGate('test'),
      object: inTest({ approvals: [{ gate: 'scope', digest: SCOPE, verdict: 'Approved', by: 'ada' }] }),
      want: {
        metadata: { resourceVersion: '1' },
        spec: {
          approvals: [
            { gate: 'scope', digest: SCOPE, verdict: 'Approved', by: 'ada' },
            { gate: 'test', digest: COMMIT, verdict: 'Approved', by: 'bob' },
          ],
        },
      },
    },
  ])('$given', async ({ command, object, want }) => {
    const server = new Server(object);
    expect(await run(command, server)).toBe('done');
    expect(server.patches).toEqual([want]);
  });

  it('is written again when the Story changed meanwhile in something else', async () => {
    const server = new Server(inDraft());
    server.conflicts = 2;
    expect(await run(approveGate('scope'), server)).toBe('done');
    expect(server.patches).toHaveLength(1);
  });
});

describe('a verdict that is not written', () => {
  it.each<{ readonly given: string; readonly command?: VerdictRequest; readonly object: Story | Plan; readonly want: RegExp }>([
    { given: 'an unknown Plan', object: inDraft(), want: /there is no plan "login-1" in namespace shop/ },
    {
      given: 'a mistyped Plan',
      command: { ...approvePlan, target: { kind: 'plan', name: 'logn-1' } },
      object: thePlan(),
      want: /Did you mean login-1\?/,
    },
    {
      given: 'a Plan of his own',
      object: thePlan({ author: 'bob' }),
      want: /you \(bob\) wrote this Plan: another person must decide/,
    },
    {
      given: 'a Plan that was decided',
      object: thePlan({ approval: { verdict: 'Approved', by: 'eve', digest: PARSED } }),
      want: /approved already, by eve/,
    },
    { given: 'a Plan that nobody has read yet', object: plan(TASKS), want: /the operator has not read Plan login-1 yet/ },
    {
      given: 'a Plan with problems',
      object: thePlan({}, { problems: [{ where: 'api', message: 'depends on nothing' }] }),
      want: /cannot be used: api: depends on nothing/,
    },
    {
      given: 'a Plan whose status holds other tasks than its digest',
      object: thePlan({}, { tasks: TASKS.slice(1) }),
      want: /is not that of its tasks/,
    },
    {
      given: 'a gate of another phase',
      command: approveGate('docs'),
      object: inTest(),
      want: /in phase Test: its gate docs is decided in Docs/,
    },
    {
      given: 'a Story that nobody has looked at',
      command: approveGate('scope'),
      object: draft,
      want: /the operator has not looked at Story login yet/,
    },
    {
      given: 'a scope that the operator saw before its last change',
      command: approveGate('scope'),
      object: inDraft({ title: 'Another' }),
      want: /has not seen the latest change/,
    },
    {
      given: 'a gate that was decided',
      command: approveGate('test'),
      object: inTest({ approvals: [{ gate: 'test', digest: COMMIT, verdict: 'Rejected', by: 'eve' }] }),
      want: /gate test was rejected already, by eve/,
    },
  ])('$given', async ({ command = approvePlan, object, want }) => {
    const server = new Server(object);
    expect(await run(command, server)).toMatch(want);
    expect(server.patches).toEqual([]);
  });

  it('a scope that changes while it is looked at', async () => {
    const server = new Server(inDraft());
    const by = person('y');
    const changing: Person = {
      ...by,
      terminal: {
        ...by.terminal,
        ask: async () => {
          server.objects.set('Story/login', inDraft({ title: 'Another' }));
          server.conflicts = 1;
          return 'y';
        },
      },
    };
    expect(await run({ ...approveGate('scope'), yes: false }, server, changing)).toMatch(
      /has not seen the latest change|nothing was decided/,
    );
    expect(server.patches).toEqual([]);
  });

  it.each([
    { given: 'no', answer: 'n', want: /nothing was decided/ },
    { given: 'silence', answer: '', want: /nothing was decided/ },
    { given: 'no terminal', answer: undefined, want: /no terminal to ask on \/ Add --yes/ },
  ])('an answer of $given', async ({ answer, want }) => {
    const server = new Server(thePlan());
    expect(await run({ ...approvePlan, yes: false }, server, person(answer))).toMatch(want);
    expect(server.patches).toEqual([]);
  });
});

describe('what is shown before the question', () => {
  it('is the digest and everything that it covers', async () => {
    const by = person('y');
    await run({ ...approvePlan, yes: false }, new Server(thePlan()), by);
    const shown = by.said.slice(0, -2).join('');
    for (const part of [
      PARSED,
      'api',
      'docs',
      'Write api',
      'npm test',
      'after: api',
      'docs/**',
      'the whole repository',
      'by ada',
    ])
      expect(shown).toContain(part);
    expect(by.said.at(-2)).toBe('Approve this Plan as bob? [y/N] ');
  });

  it('cannot be forged by control characters in a Plan', async () => {
    const tasks = [work('api', { title: 'Fine\u001b[2J\u001b[1;1H', description: 'a\u001b]0;x\u0007b' })];
    const digest = planDigest({ storyUid: 'uid-login', scopeDigest: DIGEST, revision: 1, tasks });
    const by = person('y');
    await run({ ...approvePlan, yes: false }, new Server(plan(tasks, {}, { ...parsed, tasks, digest })), by);
    expect(by.said.join('')).not.toMatch(/\u001b|\u0007/);
  });
});
