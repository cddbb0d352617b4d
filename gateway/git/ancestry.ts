// Whether a git server knows a commit and has it below another one, asked without fetching anything: a client that has `commit` and wants
// `head` is told `ready` as soon as the server can reach the one from the other. Git answers so too where it reaches only the parents of
// `commit`: that is enough to know that the commit is in the repository, and whoever asks brings the rest (merge found it on the branch).

import { answerLimit, limited } from '../http/body.ts';
import { DELIMITER, FLUSH, MalformedPktLine, pktLine, readPktLine, textOf } from './pkt-line.ts';
import type { Advertisement } from './ls-refs.ts';

export interface Ancestry {
  readonly head: string;
  readonly commit: string;
}

/** What is asked by POST of `git-upload-pack`. */
export const ancestryRequest = ({ head, commit }: Ancestry, advertisement: Advertisement): Buffer => {
  const have = pktLine(`have ${commit}\n`);
  if (advertisement.version === 0)
    return Buffer.concat([pktLine(`want ${head} multi_ack_detailed no-progress ofs-delta\n`), FLUSH, have, FLUSH]);
  const { objectFormat } = advertisement;
  return Buffer.concat([
    pktLine('command=fetch\n'),
    pktLine('agent=swe-fleet-gateway\n'),
    ...(objectFormat === 'sha1' ? [] : [pktLine(`object-format=${objectFormat}\n`)]),
    DELIMITER,
    pktLine('no-progress\n'),
    pktLine(`want ${head}\n`),
    have,
    FLUSH,
  ]);
};

/** Acknowledgements are a few lines; what follows them is a pack, which nobody reads. */
const MAX_BYTES = 1024 * 1024;

/** Reads the answer as far as its acknowledgements go. Throws MalformedPktLine. */
export const isReady = async (body: AsyncIterable<unknown>, { commit }: Ancestry): Promise<boolean> => {
  let rest = Buffer.alloc(0);
  for await (const chunk of limited(body, answerLimit(MAX_BYTES))) {
    rest = Buffer.concat([rest, chunk]);
    for (let next = readPktLine(rest); next !== undefined; next = readPktLine(rest)) {
      rest = rest.subarray(next.length);
      if (next.line.type !== 'data') return false;
      const text = textOf(next.line.bytes);
      if (text.startsWith('ERR ')) throw new MalformedPktLine('the git server refused to compare commits');
      if (text === 'ready' || text === `ACK ${commit} ready`) return true;
    }
  }
  return false;
};
