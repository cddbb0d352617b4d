// The answers of turns in JetStream: one message on each subject, of which the store keeps the first.
// May: look one up and publish one. A store that is away is no error here: it is to be tried again.

import { STREAMS } from '../crds/contracts/commands.ts';
import { turnResultSubject, type TurnCommand, type TurnResult } from '../crds/contracts/turns.ts';
import { StoreUnavailable } from '../runtime/bus/errors.ts';
import type { JetStreamLink } from '../runtime/bus/link.ts';
import { errorFields } from '../runtime/log.ts';
import type { Later } from './take-turn.ts';

const STREAM = STREAMS.results.name;

export class TurnAnswers {
  readonly #link: Pick<JetStreamLink, 'session' | 'publish'>;

  constructor(link: Pick<JetStreamLink, 'session' | 'publish'>) {
    this.#link = link;
  }

  /** Whether the turn is answered. */
  async look({ rootUid, id }: TurnCommand): Promise<{ readonly isAnswered: boolean } | Later> {
    try {
      const { manager } = await this.#link.session();
      // a direct get: its subject holds the answer's, so that the right to it is no right to other answers
      const message = await manager.direct.getMessage(STREAM, { last_by_subj: turnResultSubject(rootUid, id) });
      return { isAnswered: message !== null };
    } catch (error) {
      // whatever it says: without an answer to this nothing may be asked of a model
      return { later: errorFields(error).error };
    }
  }

  /** Whether it is this answer that is stored now; else another one was there before. */
  async store({ rootUid, id }: TurnCommand, result: TurnResult): Promise<{ readonly isOurs: boolean } | Later> {
    try {
      const subject = turnResultSubject(rootUid, id);
      const published = await this.#link.publish({ subject, data: JSON.stringify(result), stream: STREAM });
      return { isOurs: published === 'published' };
    } catch (error) {
      if (error instanceof StoreUnavailable) return { later: errorFields(error).error };
      throw error;
    }
  }
}
