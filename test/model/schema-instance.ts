// The smallest value that fits a JSON schema, for probes of structured output. Pure; knows the part of JSON schema that such probes use.

interface Schema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly required?: readonly string[];
  readonly items?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly minItems?: number;
  readonly minLength?: number;
  readonly anyOf?: readonly unknown[];
}

export const instanceOf = (schema: unknown): unknown => {
  if (typeof schema !== 'object' || schema === null) return {};
  const seen = schema as Schema;
  if (seen.const !== undefined) return seen.const;
  if (seen.enum !== undefined) return seen.enum[0];
  if (seen.anyOf !== undefined) return instanceOf(seen.anyOf[0]);
  const type = typeof seen.type === 'string' ? seen.type : (seen.type?.[0] ?? 'object');
  return ofType(type, seen);
};

const ofType = (type: string, schema: Schema): unknown => {
  switch (type) {
    case 'string':
      return 'ok'.padEnd(schema.minLength ?? 0, '.');
    case 'integer':
    case 'number':
      return schema.minimum ?? 1;
    case 'boolean':
      return true;
    case 'null':
      return null;
    case 'array':
      return Array.from({ length: Math.max(1, schema.minItems ?? 1) }, () => instanceOf(schema.items));
    default: {
      const wanted = schema.required ?? Object.keys(schema.properties ?? {});
      return Object.fromEntries(wanted.map((key) => [key, instanceOf(schema.properties?.[key])]));
    }
  }
};
