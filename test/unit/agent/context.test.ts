// The context of a task: Story, task and the Story's other Tasks -> what its agent is told of them.
import { describe, expect, it } from 'vitest';
import { contextOf, contextTokens } from '../../../agent/context.ts';
import { sha256 } from '../../../crds/canonical.ts';
import { story, task, work } from '../../builders/objects.ts';

const own = task(work('form', { dependsOn: ['session'] }));
const siblings = [
  own,
  task(work('style', { dependsOn: ['form'] }), { phase: 'Pending' }),
  task(work('session', { role: 'DATA' }), { phase: 'Succeeded', commit: 'e'.repeat(40) }),
  task(work('proof', { role: 'QA', dependsOn: ['form'] })),
];
const decisions = [
  { id: 'D2', title: 'Plain forms', rationale: 'No framework.' },
  { id: 'D1', title: 'Sessions in the database' },
];

describe('a context', () => {
  it('holds the place in the plan, the decisions, and the tasks of its role or that it builds on', () => {
    expect(contextOf({ story: story({ decisions }), task: own, siblings }).text).toBe(
      `## Place in the plan
- task form, one of 4
- builds on session
- needed by proof, style

## Decisions
- D1: Sessions in the database.
- D2: Plain forms. No framework.

## Other tasks of the plan
- session (DATA, BUILD, Succeeded): Write session; its commit on the story branch is eeeeeeeeeeee
- style (DEV, BUILD, Pending): Write style`,
    );
  });

  it.each(['ARCHITECT', 'QA'])('shows %s the tasks of all roles', (role) => {
    expect(contextOf({ story: story(), task: task(work('form', { role })), siblings }).text).toContain('proof (QA');
  });

  it('leaves out the Tasks of another plan', () => {
    const old = task(work('old'), undefined, {
      planRef: { name: 'login-0', uid: 'uid-login-0', revision: 1, digest: own.spec.planRef.digest },
    });
    expect(contextOf({ story: story(), task: own, siblings: [own, old] }).text).toBe(
      '## Place in the plan\n- task form, one of 1\n- builds on session',
    );
  });

  it('is the same, digest included, in whatever order the Tasks come', () => {
    const context = contextOf({ story: story(), task: own, siblings });
    expect(contextOf({ story: story(), task: own, siblings: siblings.toReversed() })).toEqual(context);
    expect(context.digest).toBe(sha256(context.text));
  });

  it('is cut to the share of its role', () => {
    const many = Array.from({ length: 64 }, (_, n) => ({ id: `D${n}`, title: 't', rationale: 'x '.repeat(1_000) }));
    const { text } = contextOf({ story: story({ decisions: many }), task: own, siblings });
    expect(text).toHaveLength(contextTokens('DEV', siblings.length, many.length) * 4);
    expect(text.endsWith('…')).toBe(true);
  });
});
