// What the schemas of our kinds say beyond types, for the simulated API server: it does not evaluate CEL. Which fields are fixed is read
// from the validations of the registry; what else these say stands here once more. One that is not known here ends the simulation, and
// schemas.test.ts asks the tables that the real API server is asked.

import { z } from 'zod';
import { isSameJson } from '../../crds/canonical.ts';
import { kindDefinitions, type Kind } from '../../crds/kinds/registry.ts';
import type { SimObject } from './api-server.ts';
import { isPlain } from './stored.ts';

type Plain = Readonly<Record<string, unknown>>;
/** Both specs, and the status before; whether a change may be made. */
interface Change {
  readonly old: Plain;
  readonly now: Plain;
  readonly status: Plain | undefined;
}
type Transition = (change: Change) => boolean;

const differs = (field: string, { old, now }: Change): boolean => !isSameJson(old[field], now[field]);
const listAt = (spec: Plain, field: string): readonly Plain[] => (spec[field] ?? []) as readonly Plain[];

/** By the form of a message, with the field that it names. */
const TRANSITIONS: readonly (readonly [RegExp, (field: string) => Transition])[] = [
  [/^(\w+) is immutable$/, (field) => (change) => !differs(field, change)],
  [/^(\w+) cannot be changed once it is set$/, (field) => (change) => change.old[field] === undefined || !differs(field, change)],
  [
    /^(\w+) cannot be taken back$/,
    (field) =>
      ({ old, now }) =>
        old[field] !== true || now[field] === true,
  ],
  [
    /^(\w+) only grows$/,
    (field) =>
      ({ old, now }) =>
        Number(now[field]) >= Number(old[field]),
  ],
  [/^(\w+) is frozen since/, (field) => (change) => change.status?.['baseCommit'] === undefined || !differs(field, change)],
  [
    /^(\w+) can only be added/,
    (field) =>
      ({ old, now }) =>
        listAt(old, field).every((one) => listAt(now, field).some((other) => isSameJson(one, other))),
  ],
  [
    /^gates\.(\w+) was pinned/,
    (gate) =>
      ({ old, now, status }) => {
        const isAuto = (spec: Plain): boolean => isPlain(spec['gates']) && spec['gates'][gate] === 'Auto';
        return status?.['gates'] === undefined || !isAuto(now) || isAuto(old);
      },
  ],
];

const sizeOf = (value: unknown): number => (typeof value === 'string' ? [...value].length : 0);
const textIn = (list: readonly Plain[], ...fields: readonly string[]): number =>
  list.reduce((sum, one) => sum + fields.reduce((size, field) => size + sizeOf(one[field]), 0), 0);

const storyText = (spec: Plain): number =>
  [spec['title'], spec['description'], ...listAt(spec, 'acceptanceCriteria')].reduce<number>((sum, one) => sum + sizeOf(one), 0) +
  textIn(listAt(spec, 'decisions'), 'id', 'title', 'rationale', 'status', 'by') +
  textIn(listAt(spec, 'milestones'), 'id', 'type', 'description') +
  textIn(listAt(spec, 'approvals'), 'by', 'reason');

/** What holds of a spec by itself. */
const STATES: readonly (readonly [RegExp, (spec: Plain, message: string) => boolean])[] = [
  [/^give either tasks or source/, ({ tasks, source }) => (tasks === undefined) !== (source === undefined)],
  [/^the author of a Plan cannot/, ({ approval, author }) => !isPlain(approval) || approval['by'] !== author],
  [/at most \d+ characters/, (spec, message) => storyText(spec) <= Number(/at most (\d+)/.exec(message)?.[1])],
];

const isOf = (message: string, spec: Plain, change: Change | undefined): boolean => {
  for (const [form, holds] of STATES) if (form.test(message)) return holds(spec, message);
  for (const [form, make] of TRANSITIONS) {
    const field = form.exec(message)?.[1];
    if (field !== undefined) return change === undefined || make(field)(change);
  }
  throw new Error(`the simulated API server does not know what is meant by "${message}"`);
};

interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly 'x-kubernetes-list-type'?: string;
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
}

const schemas = new Map<string, Schema>();
const schemaOf = (kind: Kind): Schema => {
  const known = schemas.get(kind);
  if (known !== undefined) return known;
  const made = z.toJSONSchema(kindDefinitions[kind].spec, { target: 'openapi-3.0', io: 'input' }) as Schema;
  schemas.set(kind, made);
  return made;
};

/** The first list whose entries are not as different as its schema wants them, as a path. */
const duplicateIn = (schema: Schema | undefined, value: unknown, path: string): string | undefined => {
  if (schema === undefined) return undefined;
  if (isPlain(value))
    return Object.entries(value)
      .map(([name, member]) => duplicateIn(schema.properties?.[name], member, `${path}.${name}`))
      .find((found) => found !== undefined);
  if (!Array.isArray(value)) return undefined;
  const keys = schema['x-kubernetes-list-map-keys'];
  const identity = (item: unknown): unknown => (keys === undefined ? item : keys.map((key) => (item as Plain)[key]));
  const ids = value.map((item) => JSON.stringify(identity(item)));
  if (schema['x-kubernetes-list-type'] !== undefined && new Set(ids).size < ids.length) return path;
  return value.map((item) => duplicateIn(schema.items, item, `${path}[]`)).find((found) => found !== undefined);
};

/** Kubernetes' names have dots; those of our kinds that become part of a branch have none. */
const isNamed = (name: string): boolean => name.length <= 63 && /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(name);

/** What is wrong with an object of ours, new or changed; undefined: nothing. */
export const problemOf = (after: SimObject, before: SimObject | undefined): string | undefined => {
  const { kind, metadata, spec = {} } = after;
  const definition = (kindDefinitions as Readonly<Record<string, (typeof kindDefinitions)[Kind] | undefined>>)[kind];
  if (definition === undefined) return undefined;
  if (kind === 'Story' && !isNamed(metadata.name)) return 'metadata.name: in body should match';
  const duplicate = duplicateIn(schemaOf(definition.kind), spec, 'spec');
  if (duplicate !== undefined) return `${duplicate}: Duplicate value`;
  const change = before === undefined ? undefined : { old: before.spec ?? {}, now: spec, status: before.status };
  return [...definition.specValidations, ...definition.rootValidations].find(({ message }) => !isOf(message, spec, change))
    ?.message;
};
