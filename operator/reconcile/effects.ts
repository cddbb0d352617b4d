// Each verb of a decision, as one API call. Before the first call all of a decision's writes are checked and laid over the
// caches, so that a key that decides meanwhile already sees them.

import { controllerOf } from '../../crds/kinds/meta.ts';
import type { Command, Effect } from '../../controllers/contract.ts';
import { FIELD_MANAGER, LABEL_MANAGED_BY, MANAGED_BY } from '../../crds/labels.ts';
import type { ApiClient } from '../../kube/client.ts';
import { isAlreadyExists } from '../../kube/error.ts';
import { keyOf, type KubeObject, type Resource, type Stored } from '../../kube/object.ts';
import type { Commands } from './commands.ts';
import type { Assumed, Overlay } from '../state/overlay.ts';
import { EffectRefused, NameTaken } from './problem.ts';

/** What acting needs from outside. */
export interface ActPorts {
  readonly api: Pick<ApiClient, 'create' | 'apply' | 'delete' | 'get'>;
  /** Both throw EffectRefused for a kind that the operator does not watch. */
  resourceOf(apiVersion: string, kind: string): Resource;
  overlayOf(kind: string): Overlay<KubeObject>;
  readonly commands: Pick<Commands, 'isSent' | 'send'>;
}

/** One checked and assumed effect. */
export interface Action {
  readonly label: string;
  /** It makes an object, which may be there also when no answer came. */
  readonly makes: boolean;
  perform(): Promise<void>;
  /** It failed, or was not reached: it is no longer assumed. */
  abandon(): void;
}

/** Kinds that a decision may create without an owner: per namespace, created if absent, never changed or deleted. */
const OWNERLESS: ReadonlySet<string> = new Set(['ServiceAccount', 'NetworkPolicy']);

const isOurs = (subject: Stored, object: KubeObject): boolean => controllerOf(object)?.uid === subject.metadata.uid;
const nameOf = (object: KubeObject): string => `${object.kind} ${keyOf(object.metadata)}`;

/** Whether everything that `wanted` says is there in `seen`, which the server may have completed with defaults. */
const isCovered = (wanted: unknown, seen: unknown): boolean => {
  if (wanted === undefined) return true;
  if (typeof wanted !== 'object' || wanted === null) return wanted === seen;
  if (typeof seen !== 'object' || seen === null || Array.isArray(wanted) !== Array.isArray(seen)) return false;
  if (Array.isArray(wanted) && wanted.length !== (seen as readonly unknown[]).length) return false;
  return Object.entries(wanted).every(([name, value]) => isCovered(value, (seen as Record<string, unknown>)[name]));
};

const assumedAction = (label: string, assumed: Assumed<KubeObject>, call: () => Promise<Stored | undefined>): Action => ({
  label,
  makes: label.startsWith('create '),
  perform: async () => assumed.confirm(await call()),
  abandon: () => assumed.fail(),
});

const mayCreate = (subject: Stored, object: KubeObject): boolean => {
  const owned = isOurs(subject, object) || (OWNERLESS.has(object.kind) && (object.metadata.ownerReferences ?? []).length === 0);
  return owned && object.metadata.namespace === subject.metadata.namespace;
};

/** A create that found the name in use: it is done if what is there is ours (or needs no owner), otherwise the name is taken. */
const resolveConflict = async (subject: Stored, object: KubeObject, ports: ActPorts): Promise<Stored> => {
  const found = await ports.api.get(ports.resourceOf(object.apiVersion, object.kind), object.metadata);
  if (found === undefined) throw new NameTaken(`${nameOf(object)} came and went while it was to be created`);
  if (isOurs(subject, found)) return found;
  if (!OWNERLESS.has(object.kind)) throw new NameTaken(`${nameOf(object)} exists and belongs to somebody else`);
  if (!isCovered(object.metadata.labels, found.metadata.labels ?? {}))
    throw new NameTaken(`${nameOf(object)} exists without the label ${LABEL_MANAGED_BY}=${MANAGED_BY}: label it, or delete it`);
  return found;
};

const createAction = (subject: Stored, object: KubeObject, ports: ActPorts): Action | undefined => {
  if (!mayCreate(subject, object)) throw new EffectRefused(`create ${nameOf(object)}: not owned by ${nameOf(subject)}`);
  const overlay = ports.overlayOf(object.kind);
  const seen = overlay.get(keyOf(object.metadata));
  if (seen !== undefined) {
    if (isOurs(subject, seen) || OWNERLESS.has(object.kind)) return undefined;
    throw new NameTaken(`${nameOf(object)} exists and belongs to somebody else`);
  }
  const resource = ports.resourceOf(object.apiVersion, object.kind);
  return assumedAction(`create ${nameOf(object)}`, overlay.assume(object), async () => {
    try {
      return await ports.api.create(resource, object, FIELD_MANAGER);
    } catch (error) {
      if (isAlreadyExists(error)) return resolveConflict(subject, object, ports);
      throw error;
    }
  });
};

/** An absent object is created, so that one of somebody else's that we do not see is not overwritten. */
const applyAction = (subject: Stored, object: KubeObject, ports: ActPorts): Action | undefined => {
  const overlay = ports.overlayOf(object.kind);
  const seen = overlay.get(keyOf(object.metadata));
  if (seen === undefined) return createAction(subject, object, ports);
  if (!isOurs(subject, seen)) throw new EffectRefused(`apply ${nameOf(object)}: its controller is not ${nameOf(subject)}`);
  if (isCovered(object, seen)) return undefined;
  const resource = ports.resourceOf(object.apiVersion, object.kind);
  const { uid, resourceVersion } = seen.metadata;
  const pinned = { ...object, metadata: { ...object.metadata, uid, resourceVersion } };
  const assumed = overlay.assume({ ...seen, ...object, metadata: { ...seen.metadata, ...object.metadata } });
  return assumedAction(`apply ${nameOf(object)}`, assumed, () =>
    ports.api.apply(resource, pinned, { fieldManager: FIELD_MANAGER, force: true }),
  );
};

const deleteAction = (subject: Stored, effect: Extract<Effect, { verb: 'delete' }>, ports: ActPorts): Action | undefined => {
  const { ref, uid } = effect;
  const overlay = ports.overlayOf(ref.kind);
  const seen = overlay.get(keyOf(ref));
  if (seen === undefined || seen.metadata.uid !== uid || seen.metadata.deletionTimestamp !== undefined) return undefined;
  if (!isOurs(subject, seen))
    throw new EffectRefused(`delete ${ref.kind} ${keyOf(ref)}: its controller is not ${nameOf(subject)}`);
  const resource = ports.resourceOf(ref.apiVersion, ref.kind);
  return assumedAction(`delete ${ref.kind} ${keyOf(ref)}`, overlay.assumeDeleted(keyOf(ref)), async () => {
    await ports.api.delete(resource, ref, { preconditions: { uid }, propagationPolicy: 'Background' });
    return undefined;
  });
};

const commandAction = (command: Command, { commands }: ActPorts): Action | undefined =>
  commands.isSent(command)
    ? undefined
    : {
        label: `command ${command.kind} ${command.id}`,
        makes: false,
        perform: () => commands.send(command),
        abandon: () => undefined,
      };

/** undefined: nothing to do, the cluster is so already. Throws EffectRefused or NameTaken before anything was written. */
export const actionOf = (subject: Stored, effect: Effect, ports: ActPorts): Action | undefined => {
  switch (effect.verb) {
    case 'create':
      return createAction(subject, effect.object, ports);
    case 'apply':
      return applyAction(subject, effect.object, ports);
    case 'delete':
      return deleteAction(subject, effect, ports);
    case 'command':
      return commandAction(effect.command, ports);
  }
};
