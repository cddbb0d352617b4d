// What every kind shares: metadata, conditions, the outbox, and the small schemas that specs are made of.
import { z } from 'zod';

export const GROUP = 'swefleet.io';
export const VERSION = 'v1alpha1';
export const API_VERSION = `${GROUP}/${VERSION}` as const;

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

/** Readonly all the way down: what comes out of a cache is frozen. */
export type Immutable<T> = T extends readonly (infer Item)[]
  ? readonly Immutable<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Immutable<T[Key]> }
    : T;

/** Metadata of any object, also of one that is still to be created. Times are RFC 3339 texts. */
export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
}

/** Metadata of an object of ours as the API server stores it. */
export interface StoredMeta extends ObjectMeta {
  readonly namespace: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation: number;
  readonly creationTimestamp: string;
}

/** The object that manages this one. */
export const controllerOf = ({ metadata }: { readonly metadata: ObjectMeta }): OwnerReference | undefined =>
  metadata.ownerReferences?.find(({ controller }) => controller === true);

/** The uid of an object that this process has asked for and whose real one it does not know yet. */
export const ASSUMED_UID = '';

/** An object that this process has asked for, and which no cache and no answer has shown yet. */
export const isAssumed = ({ metadata }: { readonly metadata: { readonly uid?: string } }): boolean =>
  metadata.uid === ASSUMED_UID;

/** An object of one of our kinds, as read. `status` is absent until the operator's first write. */
export interface Resource<KindName extends string, Spec, Status> {
  readonly apiVersion: typeof API_VERSION;
  readonly kind: KindName;
  readonly metadata: StoredMeta;
  readonly spec: Spec;
  readonly status?: Status;
}

/** A CEL expression that the API server evaluates, as `x-kubernetes-validations` lists it. */
export interface Validation {
  readonly rule: string;
  readonly message: string;
}

/**
 * A validation that no pattern can say, twice: `rule` for the API server and `holds`, the same thing, for TypeScript. (Patterns must hold
 * for JavaScript and RE2 alike, so they have no look-around.)
 */
export const validated = <Schema extends z.ZodType>(
  schema: Schema,
  { rule, message: text }: Validation,
  holds: (value: z.output<Schema>) => boolean,
): Schema => {
  const before = (schema.meta()?.['x-kubernetes-validations'] ?? []) as readonly Validation[];
  return schema.refine(holds, { message: text }).meta({ 'x-kubernetes-validations': [...before, { rule, message: text }] });
};

const text = (max: number, description: string) => z.string().max(max).describe(description);
export const time = (description: string) => z.string().max(40).meta({ description, format: 'date-time' });
export const digest = (description: string) =>
  z
    .string()
    .regex(/^sha256:[0-9a-f]{64}$/)
    .max(71)
    .describe(description);
export const commitId = (description: string) =>
  z
    .string()
    .regex(/^[0-9a-f]{40}([0-9a-f]{24})?$/)
    .max(64)
    .describe(description);
export const uid = (description: string) => z.string().min(1).max(64).describe(description);
export const count = (description: string, max = 2_147_483_647) => z.int().min(0).max(max).describe(description);
/** Most characters of the one sentence that a column shows. */
export const SHORT_LENGTH = 256;
export const short = (description: string) => text(SHORT_LENGTH, description);
/** Most characters of a sentence in a status. */
export const MESSAGE_LENGTH = 1024;
export const message = (description: string) => text(MESSAGE_LENGTH, description);
export const reason = (description: string) =>
  z
    .string()
    .regex(/^[A-Za-z]([A-Za-z0-9]*)$/)
    .max(64)
    .describe(description);
/** Name of an object of ours in the same namespace. */
export const objectName = (description: string) =>
  z
    .string()
    .regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/)
    .min(1)
    .max(253)
    .describe(description);

export const role = z
  .string()
  .regex(/^[A-Z][A-Z0-9-]{0,31}$/)
  .max(32)
  .describe('Role of the agents that do this, in capitals: DEV, QA, ARCHITECT, DEVOPS, DATA, or one of your own.');
/** Agents of this role have tools that read and none that write: they judge, and get no tasks (docs/adr/0008). */
export const READING_ROLE = 'ARCHITECT';

export const externalId = z
  .string()
  .regex(/^[A-Za-z0-9._:-]{1,128}$/)
  .max(128)
  .describe('Id of the same thing in a tracker or an older client. Cannot be changed once set.');

const condition = z
  .object({
    type: z.string().max(64).describe('What the condition is about.'),
    status: z.enum(['True', 'False', 'Unknown']).describe('Whether it holds.'),
    reason: reason('The one word for machines.'),
    message: z.string().max(MESSAGE_LENGTH).describe('A sentence for people, with the next step where there is one.'),
    lastTransitionTime: time('When the status last changed.'),
    observedGeneration: z.int().min(0).describe('Generation of the spec that this was seen for.').optional(),
  })
  .describe('One thing that was observed about the object.');
export type Condition = Immutable<z.infer<typeof condition>>;

const outboxEvent = z
  .object({
    seq: z.int().min(1).describe('Number of the event in this object, without gaps.'),
    type: z.string().max(128).describe('Subject that the event is published on.'),
    at: time('When it happened.'),
    data: z.string().max(4096).describe('Payload, as JSON text.'),
  })
  .describe('An event that waits for its publication.');
export type OutboxEvent = Immutable<z.infer<typeof outboxEvent>>;

/** Members of every status. */
export const baseStatus = {
  observedGeneration: z.int().min(0).describe('Generation of the spec that this status is about.').optional(),
  conditions: z
    .array(condition)
    .max(32)
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] })
    .describe('What was observed, one entry a type.')
    .optional(),
  eventSeq: z.int().min(0).describe('Number of the last event of this object.').optional(),
  outbox: z
    .array(outboxEvent)
    .max(64)
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['seq'] })
    .describe('Events that wait for their publication.')
    .optional(),
};
