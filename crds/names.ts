// Deterministic names: a second pass, a second leader or a restart asks for the same object.
import { shortHash } from './canonical.ts';
import type { WorkspaceKind } from './labels.ts';

/** Lower-case letters, digits and single dashes, at most `max` characters, a letter or digit at both ends. Never empty. */
export const slug = (text: string, max: number): string => {
  const cut = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, max + 1)
    .replace(/^-+/, '')
    .slice(0, max)
    .replace(/-+$/, '');
  return cut === '' ? 'x' : cut;
};

const DNS_LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** The object name for an external id: itself where it is a legal name, else its slug and a hash. */
export const nameForExternalId = (externalId: string): string =>
  DNS_LABEL.test(externalId) ? externalId : `${slug(externalId, 52)}-${shortHash([externalId], 8)}`;

/** Task object of a plan task. Another revision of the Plan makes another object. */
export const taskName = (
  story: { readonly name: string; readonly uid: string },
  planDigest: string,
  planTaskId: string,
): string => `${slug(`${story.name}-${planTaskId}`, 52)}-${shortHash([story.uid, planDigest, planTaskId], 8)}`;

export interface JobIdentity {
  readonly owner: { readonly name: string; readonly uid: string };
  readonly kind: WorkspaceKind;
  readonly attempt: number;
  /** From 1; above 1 it is shown in the name. */
  readonly candidate?: number;
  /** Tries of a courier, from 1. */
  readonly courierTry?: number;
}

/** 64 bits: two Jobs of one name do not happen, neither by accident nor by search. */
const JOB_HASH_LENGTH = 16;
/** So that a Job's name leaves room for the suffix of its pods: at most 57 characters. */
const JOB_SLUG_LENGTH = 22;

/** A function of (owner uid, attempt, candidate, kind with its try) and, for people, the owner's name: a DNS label. */
export const jobName = ({ owner, kind, attempt, candidate = 1, courierTry = 1 }: JobIdentity): string => {
  const tries = courierTry > 1 ? `-${courierTry}` : '';
  const which = `${kind[0] ?? ''}${attempt}${candidate > 1 ? `c${candidate}` : ''}${tries}`;
  const hash = shortHash([owner.uid, attempt, candidate, `${kind}${tries}`], JOB_HASH_LENGTH);
  return `fleet-ws-${slug(owner.name, JOB_SLUG_LENGTH)}-${which}-${hash}`;
};

/** The branch of a Story, without `refs/heads/`. */
export const branchOf = (namespace: string, storyName: string): string => `fleet/${namespace}/${storyName}`;

/** Names of a Council's agents when only a size is given: `agent-dev-001` … */
export const agentNames = (role: string, size: number): readonly string[] =>
  Array.from({ length: size }, (_, index) => `agent-${role.toLowerCase()}-${String(index + 1).padStart(3, '0')}`);

/** A label value: at most 63 characters, of a name that may be longer. */
export const labelValue = (name: string): string => (name.length <= 63 ? name : `${slug(name, 54)}-${shortHash([name], 8)}`);
