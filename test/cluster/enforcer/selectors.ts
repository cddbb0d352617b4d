// Label selectors, as the API defines them. Pure. An operator that is not known is an error, never a mismatch.
import type { LabelSelector } from './objects.ts';

export class Unsupported extends Error {
  /** Path of the field in the policy's spec. */
  readonly field: string;

  constructor(field: string, why: string) {
    super(`${field}: ${why}`);
    this.field = field;
  }
}

type Labels = Readonly<Record<string, string>>;
export type Matcher = (labels: Labels | undefined) => boolean;

/** An empty selector matches everything. Throws Unsupported. */
export const matcher = (selector: LabelSelector, field: string): Matcher => {
  demandFields(selector, ['matchLabels', 'matchExpressions'], field);
  const demands: ((labels: Labels) => boolean)[] = [];
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) demands.push((labels) => labels[key] === value);
  for (const [index, { key, operator, values = [] }] of (selector.matchExpressions ?? []).entries()) {
    demands.push(expression(key, operator, { values, field: `${field}.matchExpressions[${index}].operator` }));
  }
  return (labels = {}) => demands.every((demand) => demand(labels));
};

const expression = (
  key: string,
  operator: string,
  rest: { values: readonly string[]; field: string },
): ((labels: Labels) => boolean) => {
  const listed = (labels: Labels): boolean => rest.values.includes(labels[key] ?? '');
  switch (operator) {
    case 'In':
      return (labels) => key in labels && listed(labels);
    case 'NotIn':
      return (labels) => !(key in labels && listed(labels));
    case 'Exists':
      return (labels) => key in labels;
    case 'DoesNotExist':
      return (labels) => !(key in labels);
    default:
      throw new Unsupported(rest.field, `operator ${operator} is not known`);
  }
};

/** A field that a later version of the API added would change what a rule means: it is refused, not overlooked. */
export const demandFields = (value: object, known: readonly string[], field: string): void => {
  const unknown = Object.keys(value).find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Unsupported(`${field}.${unknown}`, 'this field is not known');
};
