// From the schemas to what the API server and people read: CRD manifests and the reference. Texts in, texts out; a script writes them.
import { z } from 'zod';
import { stringify } from 'yaml';
import { kindDefinitions, type Kind, type KindDefinition } from './kinds/registry.ts';
import { GROUP, VERSION, type Validation } from './kinds/meta.ts';

/** What we use of an OpenAPI v3 schema. */
export interface OpenApiSchema {
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, OpenApiSchema>>;
  readonly items?: OpenApiSchema;
  readonly required?: readonly string[];
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly format?: string;
  readonly default?: unknown;
  readonly 'x-kubernetes-validations'?: readonly Validation[];
  readonly 'x-kubernetes-list-type'?: string;
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
}

const HEADER = '# Made from crds/ by `npm run generate`. Change the schema, not this file.\n';

/** The structural schema of a spec or status. */
export const openApiOf = (schema: z.ZodType): OpenApiSchema =>
  tidy(z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input' }) as OpenApiSchema);

/** Leaves out what the API server refuses or what says nothing. */
const tidy = (schema: OpenApiSchema): OpenApiSchema => {
  const { properties, items, ...rest } = schema;
  const kept = Object.fromEntries(Object.entries(rest).filter(([key]) => key !== 'additionalProperties' && key !== '$schema'));
  return {
    ...kept,
    ...(properties !== undefined && {
      properties: Object.fromEntries(Object.entries(properties).map(([name, property]) => [name, tidy(property)])),
    }),
    ...(items !== undefined && { items: tidy(items) }),
  };
};

const manifestOf = (definition: KindDefinition): string => {
  const { kind, plural, singular, shortNames, description, columns, selectable, specValidations, rootValidations } = definition;
  const spec = { ...openApiOf(definition.spec), ...validationsOf(specValidations) };
  const schema = {
    type: 'object',
    description,
    required: ['spec'],
    properties: {
      apiVersion: { type: 'string', description: 'Version of the schema of this object.' },
      kind: { type: 'string', description: 'Kind of this object.' },
      metadata: { type: 'object', ...(kind === 'Story' && nameLimit) },
      spec,
      status: openApiOf(definition.status),
    },
    ...validationsOf(rootValidations),
  };
  const crd = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${GROUP}`, labels: { 'app.kubernetes.io/part-of': 'swe-fleet' } },
    spec: {
      group: GROUP,
      scope: 'Namespaced',
      names: { kind, listKind: `${kind}List`, plural, singular, shortNames, categories: ['fleet'] },
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: columns.map(({ name, type, jsonPath, description: text, wide }) => ({
            name,
            type,
            jsonPath,
            description: text,
            ...(wide === true && { priority: 1 }),
          })),
          selectableFields: selectable.map((jsonPath) => ({ jsonPath })),
          schema: { openAPIV3Schema: schema },
        },
      ],
    },
  };
  // Kubernetes' parser reads YAML 1.1, in which a bare `n` is false: that version's rules quote it.
  return HEADER + stringify(crd, { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false });
};

/** A Story's name becomes part of a branch: no dots at its edges, nothing that git refuses in a ref. */
const nameLimit = { properties: { name: { type: 'string', maxLength: 63, pattern: '^[a-z0-9]([a-z0-9-]*[a-z0-9])?$' } } };

const validationsOf = (list: readonly Validation[]): object =>
  list.length === 0 ? {} : { 'x-kubernetes-validations': list.map(({ rule, message }) => ({ rule, message })) };

/** Files under `charts/swe-fleet/crds/`, by name. */
export const manifests = (): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.values(kindDefinitions).map((definition) => [`${definition.plural}.yaml`, manifestOf(definition)]));

interface Row {
  readonly path: string;
  readonly schema: OpenApiSchema;
  readonly required: boolean;
}

function* rowsOf(schema: OpenApiSchema, path: string): Generator<Row> {
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const here = path === '' ? name : `${path}.${name}`;
    yield { path: here, schema: property, required: schema.required?.includes(name) === true && property.default === undefined };
    yield* rowsOf(property, here);
    if (property.items?.properties !== undefined) yield* rowsOf(property.items, `${here}[]`);
  }
}

const limitsOf = (schema: OpenApiSchema): string => {
  const parts = [
    schema.enum === undefined ? undefined : `one of ${schema.enum.join(', ')}`,
    schema.minimum === undefined && schema.maximum === undefined
      ? undefined
      : `${schema.minimum ?? '…'} to ${schema.maximum ?? '…'}`,
    schema.maxLength === undefined || schema.enum !== undefined ? undefined : `≤ ${schema.maxLength} characters`,
    schema.maxItems === undefined ? undefined : `≤ ${schema.maxItems} entries`,
    schema.default === undefined ? undefined : `default ${JSON.stringify(schema.default)}`,
  ];
  return parts.filter((part) => part !== undefined).join('; ');
};

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

const tableOf = (schema: OpenApiSchema): string => {
  const lines = [...rowsOf(schema, '')].map(({ path, schema: property, required }) => {
    const type = property.type === 'array' ? `${property.items?.type ?? 'object'}[]` : (property.type ?? 'object');
    return `| \`${path}\`${required ? ' (required)' : ''} | ${type} | ${cell(limitsOf(property))} | ${cell(property.description ?? '')} |`;
  });
  return ['| field | type | limits | meaning |', '|---|---|---|---|', ...lines].join('\n');
};

const sectionOf = (kind: Kind): string => {
  const { plural, shortNames, description, spec, status, specValidations, rootValidations } = kindDefinitions[kind];
  const validations = [...specValidations, ...rootValidations].map(({ message }) => `- ${message}`);
  return [
    `## ${kind}`,
    description,
    `\`kubectl get ${plural}\` (${shortNames.join(', ')}).`,
    '### spec',
    tableOf(openApiOf(spec)),
    ...(validations.length === 0 ? [] : ['Validations by the API server:', validations.join('\n')]),
    '### status',
    tableOf(openApiOf(status)),
  ].join('\n\n');
};

/** `docs/reference.md`. */
export const reference = (): string => {
  const intro = [
    '<!-- Made from crds/ by `npm run generate`. Change the schema, not this file. -->',
    '# Reference',
    `Group \`${GROUP}\`, version \`${VERSION}\`, category \`fleet\` (\`kubectl get fleet\`). The same texts come from \`kubectl explain\`. Plans in text form: [plan-source.md](plan-source.md).`,
  ];
  return `${[...intro, ...(Object.keys(kindDefinitions) as Kind[]).map(sectionOf)].join('\n\n')}\n`;
};
