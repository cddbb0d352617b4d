import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { describe, expect, it } from 'vitest';
import { manifests, openApiOf, reference, type OpenApiSchema } from '../../../crds/generate.ts';
import { kindDefinitions, KINDS, type Kind } from '../../../crds/kinds/registry.ts';
import { problemsOf } from './open-api.ts';

const root = join(import.meta.dirname, '../../..');
const read = (...path: readonly string[]): string => readFileSync(join(root, ...path), 'utf8');

interface Manifest {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly scope: string;
    readonly names: { readonly kind: string; readonly shortNames: readonly string[]; readonly categories: readonly string[] };
    readonly versions: readonly {
      readonly name: string;
      readonly subresources: object;
      readonly additionalPrinterColumns: readonly {
        readonly name: string;
        readonly jsonPath: string;
        readonly priority?: number;
      }[];
      readonly selectableFields: readonly { readonly jsonPath: string }[];
    }[];
  };
}
const manifest = (kind: Kind): Manifest => parse(manifests()[`${kindDefinitions[kind].plural}.yaml`] ?? '') as Manifest;

describe('what is committed is what the schemas say', () => {
  it('the manifests, one file a kind', () => {
    const files = readdirSync(join(root, 'charts/swe-fleet/crds'));
    expect(Object.fromEntries(files.map((file) => [file, read('charts/swe-fleet/crds', file)]))).toEqual(manifests());
  });

  it('the reference', () => {
    expect(read('docs/reference.md')).toBe(reference());
  });
});

describe.each(KINDS)('%s', (kind) => {
  const whole: OpenApiSchema = {
    type: 'object',
    properties: { spec: openApiOf(kindDefinitions[kind].spec), status: openApiOf(kindDefinitions[kind].status) },
  };
  const at = (path: string): OpenApiSchema | undefined =>
    path
      .split('.')
      .slice(1)
      .reduce<OpenApiSchema | undefined>((schema, name) => schema?.properties?.[name], whole);
  const [version] = manifest(kind).spec.versions;

  it('is of the category fleet, has a short name, and its status is a subresource', () => {
    const { names, scope } = manifest(kind).spec;
    expect(names).toMatchObject({ kind, categories: ['fleet'], shortNames: [expect.stringMatching(/^[a-z]{3,4}$/)] });
    expect(scope).toBe('Namespaced');
    expect(version?.subresources).toEqual({ status: {} });
  });

  it('has columns and selectable fields that exist', () => {
    const columns =
      version?.additionalPrinterColumns.map(({ jsonPath }) => jsonPath).filter((path) => !path.startsWith('.metadata')) ?? [];
    const selectable = version?.selectableFields.map(({ jsonPath }) => jsonPath) ?? [];
    expect(columns.length).toBeGreaterThan(3);
    expect([...columns, ...selectable].filter((path) => at(path) === undefined)).toEqual([]);
  });

  it('has validations that name fields which exist', () => {
    const { specValidations, rootValidations } = kindDefinitions[kind];
    const named = [
      ...specValidations.map(({ rule }) => [rule, '.spec'] as const),
      ...rootValidations.map(({ rule }) => [rule, ''] as const),
    ].flatMap(([rule, prefix]) =>
      [...rule.matchAll(/\b(?:self|oldSelf)((?:\.[a-z][A-Za-z]*)+)(?!\w*\()/g)].map(
        ([, path]) => `${prefix}${(path ?? '').replace(/\.(?:all|exists)$/, '')}`,
      ),
    );
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter((path) => at(path) === undefined)).toEqual([]);
  });
});

describe('`kubectl get`', () => {
  const columns = (kind: Kind, wide: boolean): readonly string[] =>
    (manifest(kind).spec.versions[0]?.additionalPrinterColumns ?? [])
      .filter(({ priority }) => wide || priority !== 1)
      .map(({ name }) => name);
  it.each([
    { kind: 'Story', want: ['Phase', 'Tasks', 'Plan', 'Waiting for', 'Age'] },
    { kind: 'Plan', want: ['Story', 'Revision', 'Phase', 'Tasks', 'Author', 'Decided by', 'Age'] },
    { kind: 'Task', want: ['Story', 'Task', 'Role', 'Phase', 'Attempt', 'Waiting for', 'Age'] },
    { kind: 'Council', want: ['Role', 'Default', 'Agents', 'Endpoint', 'Model', 'Ready', 'Reason', 'Age'] },
    { kind: 'Deliberation', want: ['Council', 'Kind', 'Phase', 'Step', 'Answered', 'Winner', 'Age'] },
  ] as const)('of a $kind shows $want', ({ kind, want }) => {
    expect(columns(kind, false)).toEqual(want);
  });

  it('-o wide of a Story shows its branch and head', () => {
    expect(columns('Story', true)).toEqual(expect.arrayContaining(['Branch', 'Head']));
  });
});

describe('the examples', () => {
  it.each(readdirSync(join(root, 'examples')))('%s is valid and holds no field that would be dropped', (file) => {
    const { kind, spec } = parse(read('examples', file)) as { readonly kind: Kind; readonly spec: unknown };
    expect([...problemsOf(openApiOf(kindDefinitions[kind].spec), spec, 'spec')]).toEqual([]);
    expect(kindDefinitions[kind].spec.safeParse(spec).error?.issues).toBeUndefined();
  });
});
