// A value that fits a JSON schema, for whoever asks for structured output without a script. Pure; knows the part of JSON schema that such
// requests use. Numbers with both bounds and choices are drawn by the seed, so that two who are asked different things differ.
import { createHash } from 'node:crypto';

interface Schema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly required?: readonly string[];
  readonly items?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly minLength?: number;
  readonly anyOf?: readonly unknown[];
}

/** A number in [0, 1) that is a function of these words. */
const drawn = (...words: readonly (string | number)[]): number =>
  createHash('sha256').update(words.join('\n')).digest().readUInt32BE(0) / 2 ** 32;

/** `seed`: what it is asked for; `path`: where in the whole value it stands. */
export const instanceOf = (schema: unknown, seed = '', path = ''): unknown => {
  if (typeof schema !== 'object' || schema === null) return {};
  const seen = schema as Schema;
  if (seen.const !== undefined) return seen.const;
  if (seen.enum !== undefined) return choiceOf(seen.enum, seed, path);
  if (seen.anyOf !== undefined) return instanceOf(seen.anyOf[0], seed, path);
  const type = typeof seen.type === 'string' ? seen.type : (seen.type?.[0] ?? 'object');
  return ofType(type, seen, { seed, path });
};

/** In a list of objects each takes the next one, so that what has to be named once is named once. */
const choiceOf = (choices: readonly unknown[], seed: string, path: string): unknown => {
  const index = /\[(\d+)\][^[]*$/.exec(path)?.[1];
  const at = index === undefined ? Math.floor(drawn(seed, path) * choices.length) : Number(index) % choices.length;
  return seed === '' ? choices[0] : choices[at];
};

interface Where {
  readonly seed: string;
  readonly path: string;
}

const numberOf = ({ minimum, maximum }: Schema, { seed, path }: Where): number =>
  minimum === undefined || maximum === undefined || seed === ''
    ? (minimum ?? 1)
    : minimum + Math.floor(drawn(seed, path) * (maximum - minimum + 1));

const ofType = (type: string, schema: Schema, where: Where): unknown => {
  const { seed, path } = where;
  switch (type) {
    case 'string':
      return `${seed === '' ? 'ok' : `a scripted text about ${path.replace(/^\./, '')} (${drawn(seed, path).toFixed(4).slice(2)})`}`.padEnd(
        schema.minLength ?? 0,
        '.',
      );
    case 'integer':
    case 'number':
      return numberOf(schema, where);
    case 'boolean':
      return true;
    case 'null':
      return null;
    case 'array':
      return Array.from({ length: Math.max(1, schema.minItems ?? 1) }, (_, index) =>
        instanceOf(schema.items, seed, `${path}[${index}]`),
      );
    default: {
      const wanted = schema.required ?? Object.keys(schema.properties ?? {});
      return Object.fromEntries(wanted.map((key) => [key, instanceOf(schema.properties?.[key], seed, `${path}.${key}`)]));
    }
  }
};
