// Reads the command list that opens a push (gitprotocol-pack, "Reference Update Request") and says whether the gateway lets it
// through. Pure: it decides before a single byte has gone to the git server.
//
//   <old> SP <new> SP <ref> NUL <capabilities> LF   exactly one, then flush, then the pack

import { readPktLine, textOf } from './pkt-line.ts';

export interface RefUpdate {
  readonly oldId: string;
  readonly newId: string;
  readonly ref: string;
  readonly capabilities: readonly string[];
}

export type PushRequest =
  | { readonly type: 'incomplete' }
  /** A bare flush: git's way to try authentication before it sends a large push. */
  | { readonly type: 'probe'; readonly length: number }
  | { readonly type: 'update'; readonly update: RefUpdate; readonly length: number }
  | { readonly type: 'refused'; readonly message: string };

/** What a push may do. */
export interface ExpectedPush {
  readonly ref: string;
  /** The one commit that may be pushed. */
  readonly commit: string;
  /** The branch as the merge step saw it; undefined: there was none. A push may also say that it creates the branch. */
  readonly head: string | undefined;
}

/** One update fits many times over; more bytes without a flush are no push of ours. */
export const MAX_COMMAND_BYTES = 16_384;

const ID = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
export const isZeroId = (id: string): boolean => /^0+$/.test(id);

/** What the client may agree with the server. Options that carry data of their own past us (push-options, push-cert) are not here. */
const CAPABILITIES = new Set([
  'report-status',
  'report-status-v2',
  'side-band-64k',
  'quiet',
  'atomic',
  'ofs-delta',
  'delete-refs',
  'object-format=sha1',
  'object-format=sha256',
]);

const refused = (message: string): PushRequest => ({ type: 'refused', message });

const capabilityAllowed = (capability: string): boolean =>
  CAPABILITIES.has(capability) ||
  /^agent=[\x21-\x7e]{1,200}$/.test(capability) ||
  /^session-id=[\x21-\x7e]{1,200}$/.test(capability);

const parseUpdate = (bytes: Buffer): RefUpdate | string => {
  const nul = bytes.indexOf(0);
  const command = nul < 0 ? textOf(bytes) : bytes.toString('utf8', 0, nul);
  const capabilities =
    nul < 0
      ? []
      : textOf(bytes.subarray(nul + 1))
          .split(' ')
          .filter((word) => word !== '');
  if (command.startsWith('shallow ')) return 'a push from a shallow repository is not taken';
  if (command.startsWith('push-cert')) return 'a signed push is not taken';
  const [oldId = '', newId = '', ref = '', ...rest] = command.split(' ');
  if (!ID.test(oldId) || !ID.test(newId) || rest.length > 0) return 'the ref update cannot be read';
  return { oldId, newId, ref, capabilities };
};

const objection = (update: RefUpdate, expected: ExpectedPush): string | undefined => {
  const odd = update.capabilities.find((capability) => !capabilityAllowed(capability));
  if (odd !== undefined) return `the capability ${JSON.stringify(odd.slice(0, 60))} is not taken`;
  if (update.ref !== expected.ref) return `only ${expected.ref} may be pushed`;
  if (isZeroId(update.newId)) return 'a branch is never deleted';
  if (update.oldId.length !== update.newId.length) return 'the ref update mixes two object formats';
  if (update.newId !== expected.commit) return 'the commit is not the one that the merge step made';
  // a creation needs no comparison here: the git server itself refuses it when the branch is there
  if (update.oldId !== expected.head && !isZeroId(update.oldId)) return 'the branch has moved since the merge step saw it';
  return undefined;
};

/** Judges as much of a push as has come. `incomplete` asks for more bytes; `length` is where the pack begins. */
export const judgePush = (bytes: Buffer, expected: ExpectedPush): PushRequest => {
  const first = readPktLine(bytes);
  if (first === undefined)
    return bytes.length > MAX_COMMAND_BYTES ? refused('the command list is too long') : { type: 'incomplete' };
  if (first.line.type === 'flush') return { type: 'probe', length: first.length };
  if (first.line.type !== 'data') return refused('the push does not begin with a ref update');
  const update = parseUpdate(first.line.bytes);
  if (typeof update === 'string') return refused(update);
  const second = readPktLine(bytes.subarray(first.length));
  if (second === undefined)
    return bytes.length > MAX_COMMAND_BYTES ? refused('the command list is too long') : { type: 'incomplete' };
  if (second.line.type !== 'flush') return refused('exactly one ref update is taken');
  const message = objection(update, expected);
  return message === undefined ? { type: 'update', update, length: first.length + second.length } : refused(message);
};
