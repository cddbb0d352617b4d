// The schemas of all kinds, as the API server gets them: bounded, described, free of what it cannot run, and the same as those in zod.
import { describe, expect, it } from 'vitest';
import { openApiOf } from '../../../crds/generate.ts';
import { kindDefinitions, KINDS, type Kind } from '../../../crds/kinds/registry.ts';
import { accepted, rejected } from '../../contract/admission-crds-creates.ts';
import { objectOf, type Fields } from '../../builders/smallest.ts';
import { placesOf, problemsOf } from './open-api.ts';

const schemas = KINDS.flatMap((kind) => [
  { name: `${kind}.spec`, schema: openApiOf(kindDefinitions[kind].spec) },
  { name: `${kind}.status`, schema: openApiOf(kindDefinitions[kind].status) },
]);

describe.each(schemas)('$name', ({ name, schema }) => {
  const places = [...placesOf(schema, name)];
  const paths = (broken: (place: (typeof places)[number]) => boolean): readonly string[] =>
    places.filter(broken).map(({ path }) => path);

  it('has a description on every field, which `kubectl explain` shows', () => {
    expect(paths((place) => (place.schema.description ?? '').length < 3)).toEqual([]);
  });

  it('has a bound on every text, list and number', () => {
    const unbounded = ({ schema: one }: (typeof places)[number]): boolean =>
      (one.type === 'string' && one.enum === undefined && one.maxLength === undefined) ||
      (one.type === 'array' && one.maxItems === undefined) ||
      (one.type === 'integer' && (one.minimum === undefined || one.maximum === undefined));
    expect(paths(unbounded)).toEqual([]);
  });

  it('has no free-form map, no float and no field without a type', () => {
    const free = ({ schema: one }: (typeof places)[number]): boolean =>
      one.type === undefined ||
      one.type === 'number' ||
      (one.type === 'object' && one.properties === undefined) ||
      JSON.stringify(Object.keys(one)).includes('additionalProperties') ||
      'x-kubernetes-preserve-unknown-fields' in one;
    expect(paths(free)).toEqual([]);
  });

  it('has patterns that RE2 runs too: no look-around, no back-reference', () => {
    expect(paths((place) => /\(\?[=!<]|\\[1-9]/.test(place.schema.pattern ?? ''))).toEqual([]);
  });

  it('says of every list how its entries merge, or merges it whole', () => {
    const nameless = ({ schema: one }: (typeof places)[number]): boolean => {
      const keys = one['x-kubernetes-list-map-keys'] ?? [];
      const required = new Set(one.items?.required ?? []);
      return keys.some((key) => !required.has(key) && one.items?.properties?.[key]?.default === undefined);
    };
    expect(paths(nameless)).toEqual([]);
  });
});

describe('zod and the API server', () => {
  const specOf = (kind: Kind, spec: Fields | undefined): unknown => objectOf(kind, 'n', 'ns', spec).spec;
  const zodAccepts = (kind: Kind, spec: unknown): boolean => kindDefinitions[kind].spec.safeParse(spec).success;
  const schemaProblems = (kind: Kind, spec: unknown): readonly string[] => [
    ...problemsOf(openApiOf(kindDefinitions[kind].spec), spec),
  ];

  it.each(accepted)('both accept $given', ({ kind, spec }) => {
    expect({ zod: zodAccepts(kind, specOf(kind, spec)), schema: schemaProblems(kind, specOf(kind, spec)) }).toEqual({
      zod: true,
      schema: [],
    });
  });

  // what a schema cannot say: uniqueness, validations over several fields, and the name of the object
  const beyond = (want: string): boolean =>
    /Duplicate value|give either|the author of a Plan|metadata\.name|all texts of a Story/.test(want);
  it.each(rejected.filter(({ want }) => !beyond(want)))('both refuse $given', ({ kind, spec, want }) => {
    const validationAlone = want.includes('stars') || want.includes('.lock'); // a CEL validation with a twin in zod
    const broken = schemaProblems(kind, specOf(kind, spec)).length > 0;
    expect({ zod: zodAccepts(kind, specOf(kind, spec)), schema: broken }).toEqual({ zod: false, schema: !validationAlone });
  });

  it.each(KINDS)('%s: the defaults of zod are those of the manifest', (kind) => {
    const spec = specOf(kind, undefined);
    const filled = kindDefinitions[kind].spec.parse(spec);
    expect([...problemsOf(openApiOf(kindDefinitions[kind].spec), filled)]).toEqual([]);
    for (const [name, property] of Object.entries(openApiOf(kindDefinitions[kind].spec).properties ?? {}))
      if (property.default !== undefined && (spec as Fields)[name] === undefined)
        expect(filled[name], `${kind}.spec.${name}`).toEqual(property.default);
  });
});

describe('what may change', () => {
  const fieldsOf = (kind: Kind): readonly string[] => Object.keys(openApiOf(kindDefinitions[kind].spec).properties ?? {});
  const guarded = (kind: Kind): readonly string[] =>
    fieldsOf(kind).filter((field) => kindDefinitions[kind].specValidations.some(({ rule }) => rule.includes(`oldSelf.${field}`)));

  it.each([
    { kind: 'Plan', free: [] },
    { kind: 'Task', free: ['suspend', 'priority'] },
    { kind: 'Deliberation', free: ['suspend'] },
  ] as const)(
    'of a $kind every field has a validation but for $free: one that is added later cannot be forgotten',
    ({ kind, free }) => {
      expect(fieldsOf(kind).filter((field) => !guarded(kind).includes(field))).toEqual(free);
    },
  );

  it('the scope of a Story is frozen field by field', () => {
    const validations = kindDefinitions.Story.rootValidations.map(({ rule }) => rule);
    for (const field of ['title', 'description', 'acceptanceCriteria', 'repository', 'rigor'])
      expect(validations.filter((rule) => rule.includes(`self.spec.${field} == oldSelf.spec.${field}`))).toHaveLength(1);
  });
});
