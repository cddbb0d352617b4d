// What an API server does with a structural schema, as far as ours use it: what it refuses, and which fields it would drop.
import type { OpenApiSchema } from '../../../crds/generate.ts';

type Fields = Readonly<Record<string, unknown>>;
const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);

const typeFits = (type: string | undefined, value: unknown): boolean => {
  switch (type) {
    case 'object':
      return isFields(value);
    case 'array':
      return Array.isArray(value);
    case 'integer':
      return Number.isInteger(value);
    default:
      return typeof value === type;
  }
};

function* stringProblems(schema: OpenApiSchema, value: string): Generator<string> {
  if (schema.enum !== undefined && !schema.enum.includes(value)) yield 'not one of the enum';
  if (schema.pattern !== undefined && !new RegExp(schema.pattern, 'u').test(value)) yield 'pattern';
  if ([...value].length > (schema.maxLength ?? Infinity)) yield 'maxLength';
  if ([...value].length < (schema.minLength ?? 0)) yield 'minLength';
}

const outside = (value: number, min = -Infinity, max = Infinity): boolean => value < min || value > max;

/** Every place where the value breaks the schema, as `path: why`. An unknown field is `path: unknown`. */
export function* problemsOf(schema: OpenApiSchema, value: unknown, path = ''): Generator<string> {
  if (!typeFits(schema.type, value)) return void (yield `${path}: no ${schema.type}`);
  if (typeof value === 'string') for (const why of stringProblems(schema, value)) yield `${path}: ${why}`;
  if (typeof value === 'number' && outside(value, schema.minimum, schema.maximum)) yield `${path}: out of bounds`;
  if (Array.isArray(value)) {
    if (outside(value.length, schema.minItems, schema.maxItems)) yield `${path}: number of items`;
    for (const [index, item] of value.entries()) yield* problemsOf(schema.items ?? {}, item, `${path}[${index}]`);
  }
  if (isFields(value)) yield* fieldProblems(schema, value, path);
}

function* fieldProblems(schema: OpenApiSchema, value: Fields, path: string): Generator<string> {
  for (const name of schema.required ?? []) if (value[name] === undefined) yield `${path}.${name}: required`;
  for (const [name, held] of Object.entries(value)) {
    const property = schema.properties?.[name];
    if (property === undefined) yield `${path}.${name}: unknown`;
    else if (held !== undefined) yield* problemsOf(property, held, `${path}.${name}`);
  }
}

export interface Place {
  readonly path: string;
  readonly schema: OpenApiSchema;
}

/** Every schema within a schema, itself first. */
export function* placesOf(schema: OpenApiSchema, path: string): Generator<Place> {
  yield { path, schema };
  for (const [name, property] of Object.entries(schema.properties ?? {})) yield* placesOf(property, `${path}.${name}`);
  if (schema.items !== undefined) yield* placesOf(schema.items, `${path}[]`);
}
