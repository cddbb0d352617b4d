// What is judged of a proposal and of a plan by itself.
import { describe, expect, it } from 'vitest';
import type { Artifact } from '../../../../crds/deliberation/artifacts.ts';
import { checksOf } from '../../../../agent/turns/checks.ts';
import { shapeOf } from '../../../../agent/turns/shapes.ts';
import { brief, critique, plan, planBrief, planned, proposal, shared } from './turns.ts';

const artifact = (of: Parameters<typeof shapeOf>[0], value: object): Artifact => shapeOf(of, []).schema.parse(value);
const proposing = (more: object): Artifact => artifact(brief('Proposal'), { ...proposal, ...more });
const planning = (...tasks: readonly object[]): Artifact => artifact(planBrief('Proposal'), { ...plan, tasks });

const SCOPE = ['src/**', 'test/**'];
const errors = (fileScope: readonly string[], judged: Artifact, text = ''): number | undefined =>
  checksOf(shared({ fileScope }), judged, text)?.policy?.errors;

describe('the policy check', () => {
  it.each<[string, readonly string[], readonly string[], number | undefined]>([
    ['of paths in the scope', SCOPE, ['src/a.ts', 'test/deep/a.ts'], 0],
    ['counts paths outside of it', SCOPE, ['src/a.ts', 'README.md', 'lib/a.ts'], 2],
    ['of any paths where the scope is the repository', [], ['README.md'], 0],
    ['counts protected paths', [], ['.github/workflows/x.yml', 'ci/run.sh'], 2],
    ['does not let other letters get around a protection', [], ['.GitHub/workflows/x.yml', 'CI/run.sh'], 2],
    ['counts a path that is both once', SCOPE, ['ci/run.sh'], 1],
    ['does not let dots lead out of the scope', SCOPE, ['src/../.github/x', '../src/a.ts'], 2],
    ['counts paths from the root of a disk', [], ['/etc/passwd'], 1],
    ['takes brackets in a path for themselves', SCOPE, ['src/app/[id]/page.ts'], 0],
    ['reads a glob as all that it matches', SCOPE, ['src/*.ts', 'src/**', '**/*.ts', '**'], 2],
    ['does not apply where nothing is named', [], [], undefined],
    ['does not apply where nothing is named, whatever the scope', SCOPE, [], undefined],
  ])('%s', (_title, fileScope, files, want) => {
    expect(errors(fileScope, proposing({ files }))).toBe(want);
  });

  it.each<[string, readonly string[], readonly (readonly string[])[], number | undefined]>([
    ['of scopes within the scope', SCOPE, [['src/form/**'], ['test/**', 'src/*']], 0],
    ['counts scopes beyond it', SCOPE, [['src/form/**', 'docs/**'], ['**']], 2],
    ['counts a task without a scope where there is one to keep to', SCOPE, [['src/**'], []], 1],
    ['counts scopes that are protected altogether', [], [['.github/**'], ['ci/run.sh']], 2],
    ['lets a scope hold something protected', [], [['**']], 0],
    ['does not apply where no task has a scope and none is set', [], [[], []], undefined],
  ])('of a plan: %s', (_title, fileScope, scopes, want) => {
    const tasks = scopes.map((scope, n) => ({ ...planned, id: `t${n}`, fileScope: scope }));
    expect(errors(fileScope, planning(...tasks))).toBe(want);
  });

  it('counts a text that nobody would read to its end, whatever it names', () => {
    expect(errors([], proposing({ files: [] }), 'x'.repeat(64 * 1024))).toBeUndefined();
    expect(errors([], proposing({ files: [] }), 'x'.repeat(64 * 1024 + 1))).toBe(1);
    expect(errors([], proposing({ files: ['ci/run.sh'] }), 'x'.repeat(64 * 1024 + 1))).toBe(2);
  });

  it('is failed by one error', () => {
    const judged = checksOf(shared(), proposing({ files: ['src/a.ts', 'README.md'] }), '');
    expect(judged?.policy).toEqual({ passed: false, errors: 1, warnings: 0 });
  });
});

describe('the lint check', () => {
  const bare = { ...planned, description: '', verify: { commands: [] } };
  it.each<[string, Artifact, number]>([
    ['finds nothing in a whole proposal', proposing({}), 0],
    ['misses tests', proposing({ tests: [] }), 1],
    ['misses steps, files and tests', proposing({ steps: [], files: [], tests: [] }), 3],
    ['does not miss risks', proposing({ risks: [] }), 0],
    ['finds nothing in a whole plan', planning(planned), 0],
    ['misses descriptions and commands of each task', planning(bare, { ...bare, id: 'other', description: 'x' }), 3],
  ])('%s', (_title, judged, warnings) => {
    expect(checksOf(shared(), judged, '')?.lint).toEqual({ passed: true, errors: 0, warnings });
  });
});

it('what is neither proposal nor plan has no checks', () => {
  expect(checksOf(shared(), artifact(brief('Critique'), critique), '')).toBeUndefined();
});
