import { describe, expect, it } from 'vitest';
import type { OutboxEvent } from '../../../crds/kinds/meta.ts';
import type { Publication, Published } from '../../../runtime/bus/link.ts';
import { StoreUnavailable } from '../../../runtime/bus/errors.ts';
import { publishOutbox, type PublisherPorts, type Publishing } from '../../../operator/publish/publisher.ts';
import { cursorSubject } from '../../../operator/state/feeds.ts';
import { LatestValues } from '../../../runtime/bus/latest-values.ts';
import type { Next } from '../../../runtime/queue.ts';
import { at, outboxEvent, story } from '../../builders/objects.ts';

const event = (seq: number, type = 'planning.story.transitioned', data = `{"to_phase":"P${seq}"}`): OutboxEvent =>
  outboxEvent(seq, { type, data });

const saying = (outbox?: readonly OutboxEvent[]): Publishing => story({}, outbox && { outbox: [...outbox] });

interface Case {
  readonly name: string;
  readonly given: Publishing | undefined;
  readonly cursor?: number;
  /** What the store answers to the nth publication; `published` when nothing is said. */
  readonly answers?: readonly (Published | 'down')[];
  /** `subject id` or, for the cursor, `subject=value over seq`. */
  readonly want: readonly string[];
  readonly next: Next;
  readonly skipped?: readonly number[];
}

const done: Next = { kind: 'done' };
const retry: Next = { kind: 'retry' };
const transitioned = (seq: number): string => `planning.story.transitioned uid-login:${seq}`;
/** Without the hash of what it tells. */
const plainId = (msgId: string): string => msgId.replace(/:[0-9a-f]{8}$/, '');

const cases: readonly Case[] = [
  { name: 'an object that is gone has nothing to say', given: undefined, want: [], next: done },
  { name: 'an object without an outbox has nothing to say', given: saying(), want: [], next: done },
  {
    name: 'events go out in order of their number, then the cursor is moved once, over the revision that was read',
    given: saying([event(2), event(1), event(3)]),
    ...{ want: [transitioned(1), transitioned(2), transitioned(3), '$KV.fleet-cursor.uid-login=3 over 40'], next: done },
  },
  {
    name: 'what the cursor has passed is not sent again',
    ...{
      given: saying([event(1), event(2)]),
      cursor: 1,
      want: [transitioned(2), '$KV.fleet-cursor.uid-login=2 over 40'],
      next: done,
    },
  },
  { name: 'nothing new, nothing sent', given: saying([event(1), event(2)]), cursor: 2, want: [], next: done },
  {
    name: 'when the store goes down on the way, the cursor is moved as far as was acknowledged and the rest follows later',
    ...{ given: saying([event(1), event(2)]), answers: ['published', 'down', 'published'] },
    ...{ want: [transitioned(1), transitioned(2), '$KV.fleet-cursor.uid-login=1 over 40'], next: retry },
  },
  {
    name: 'with the store down nothing moves',
    given: saying([event(1)]),
    answers: ['down'],
    want: [transitioned(1)],
    next: retry,
  },
  {
    name: 'an event that was sent but whose cursor was lost is sent again: at least once, the store drops the second by its id',
    ...{
      given: saying([event(1)]),
      answers: ['published', 'down'],
      want: [transitioned(1), '$KV.fleet-cursor.uid-login=1 over 40'],
      next: retry,
    },
  },
  {
    name: 'a cursor that another leader moved meanwhile is read again',
    ...{
      given: saying([event(1)]),
      answers: ['published', 'outrun'],
      want: [transitioned(1), '$KV.fleet-cursor.uid-login=1 over 40'],
      next: retry,
    },
  },
  {
    name: 'an event that no stream takes, or that is no JSON, is skipped, so that it does not hold up the others',
    given: saying([event(1, 'secrets.all'), event(2, 'planning.*'), event(3, 'planning.x', '{"cut'), event(4)]),
    ...{ want: [transitioned(4), '$KV.fleet-cursor.uid-login=4 over 40'], next: done, skipped: [1, 2, 3] },
  },
];

const run = async ({ given, cursor, answers = [] }: Case) => {
  const sent: Publication[] = [];
  const skipped: number[] = [];
  const next = await publishOutbox(given, {
    ...{ cursors: { get: () => cursor, seq: () => 40, isWhole: true, take: () => undefined }, lastStored: async () => undefined },
    publish: async (publication) => {
      sent.push(publication);
      const answer = answers[sent.length - 1] ?? 'published';
      if (answer === 'down') throw new StoreUnavailable('down');
      return answer;
    },
    onUnpublishable: (_key, { seq }) => skipped.push(seq),
    onPublished: () => undefined,
  });
  return { sent, skipped, next };
};

describe('the publisher', () => {
  for (const each of cases)
    it(each.name, async () => {
      const { sent, skipped, next } = await run(each);
      const text = ({ subject, msgId, data, expectedSeq }: Publication): string =>
        msgId === undefined ? `${subject}=${String(data)} over ${expectedSeq}` : `${subject} ${plainId(msgId)}`;
      expect(sent.map(text)).toEqual(each.want);
      expect([next, skipped]).toEqual([each.next, each.skipped ?? []]);
    });

  it('asks the store how far it came when the view had to let go of that, and repeats nothing', async () => {
    const store = new Map([[cursorSubject('uid-login'), { seq: 40, data: Buffer.from('2') }]]);
    const changed: string[] = [];
    const cursors = new LatestValues<number>({
      ...{ stream: 'KV', filter: cursorSubject('>'), parse: Number, maxEntries: 1, onMalformed: () => undefined },
      onChange: (uid) => changed.push(uid),
    });
    cursors.begin();
    for (const [n, uid] of ['uid-login', 'uid-other'].entries())
      cursors.take({ subject: cursorSubject(uid), seq: 40 + n, data: Buffer.from('2') });
    cursors.caughtUp();
    expect(cursors.get('uid-login')).toBeUndefined();
    changed.length = 0;
    const sent: string[] = [];
    const ports: PublisherPorts = {
      cursors,
      lastStored: async (_stream, subject) => store.get(subject),
      publish: async ({ subject, expectedSeq, data }) => {
        sent.push(subject);
        const before = store.get(subject)?.seq ?? 0;
        if (expectedSeq !== undefined && expectedSeq !== before) return 'outrun';
        if (expectedSeq !== undefined) store.set(subject, { seq: before + 1, data: Buffer.from(data) });
        return 'published';
      },
      onUnpublishable: () => undefined,
      onPublished: () => undefined,
    };
    expect(await publishOutbox(saying([event(1), event(2)]), ports)).toEqual(done);
    expect([sent, cursors.get('uid-login'), changed]).toEqual([[], 2, ['uid-login']]);
    expect(await publishOutbox(saying([event(1), event(2), event(3)]), ports)).toEqual(done);
    expect([sent, String(store.get(cursorSubject('uid-login'))?.data)]).toEqual([
      ['planning.story.transitioned', cursorSubject('uid-login')],
      '3',
    ]);
  });

  it('tells two events apart that were given one number, before and after a status was wiped', async () => {
    const idOf = async (data: string): Promise<string | undefined> =>
      (await run({ name: '', given: saying([event(7, 'planning.story.transitioned', data)]), want: [], next: done })).sent[0]
        ?.msgId;
    expect(await idOf('{"to_phase":"A"}')).toBe(await idOf('{"to_phase":"A"}'));
    expect(await idOf('{"to_phase":"A"}')).not.toBe(await idOf('{"to_phase":"B"}'));
  });

  it('keeps the fields of older clients at top level, and adds what names and orders the event', async () => {
    const given = saying([event(7, 'planning.story.transitioned', '{"story_id":"S-1","to_phase":"BUILD","seq":"theirs"}')]);
    const { sent } = await run({ name: '', given, want: [], next: done });
    expect(JSON.parse(String(sent[0]?.data))).toEqual({
      ...{ story_id: 'S-1', to_phase: 'BUILD', seq: 'theirs' },
      ...{ event_id: 'uid-login:7', event_type: 'planning.story.transitioned', occurred_at: at() },
      object: { kind: 'Story', namespace: 'shop', name: 'login', uid: 'uid-login' },
    });
  });
});
