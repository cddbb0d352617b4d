import { describe, expect, it } from 'vitest';
import { mergeConditions } from '../../../controllers/conditions.ts';
import { appendEvents, OUTBOX_LENGTH, waitingEvents } from '../../../controllers/outbox.ts';
import type { OutboxEvent } from '../../../crds/kinds/meta.ts';
import { at, condition, NOW, outboxEvent } from '../../builders/objects.ts';

const outbox = (from: number, to: number): OutboxEvent[] =>
  Array.from({ length: to - from + 1 }, (_, index) => outboxEvent(from + index));
const wanted = { type: 'planning.story.transitioned', data: { story_id: 'login', from_phase: 'DRAFT' } };

describe('the outbox', () => {
  it('begins with number 1', () => {
    expect(appendEvents(undefined, [wanted], undefined, NOW)).toEqual({
      eventSeq: 1,
      outbox: [outboxEvent(1, { type: wanted.type, data: '{"from_phase":"DRAFT","story_id":"login"}' })],
    });
  });

  it('goes on where it was, without gaps, and drops what was published', () => {
    const next = appendEvents({ eventSeq: 3, outbox: outbox(1, 3) }, [wanted, wanted], 2, NOW);
    expect(next?.outbox.map(({ seq }) => seq)).toEqual([3, 4, 5]);
    expect(next?.eventSeq).toBe(5);
  });

  it('goes on after everything was published', () => {
    expect(appendEvents({ eventSeq: 3, outbox: [] }, [wanted], 3, NOW)?.outbox.map(({ seq }) => seq)).toEqual([4]);
  });

  it('goes on behind what was published, also when the status forgot it', () => {
    const next = appendEvents({ eventSeq: 3, outbox: [] }, [wanted, wanted], 50, NOW);
    expect(next?.outbox.map(({ seq }) => seq)).toEqual([51, 52]);
    expect(next?.eventSeq).toBe(52);
    expect(appendEvents(undefined, [wanted], 50, NOW)?.outbox.map(({ seq }) => seq)).toEqual([51]);
  });

  it('numbers again what was numbered while nobody knew how far its object had been published', () => {
    const next = appendEvents({ eventSeq: 4, outbox: outbox(3, 4) }, [wanted], 50, NOW);
    expect(next?.outbox.map(({ seq, type }) => [seq, type])).toEqual([
      [51, outboxEvent(3).type],
      [52, outboxEvent(4).type],
      [53, wanted.type],
    ]);
    expect(next?.eventSeq).toBe(53);
  });

  it('takes as many events as it has room for, and not one more', () => {
    const full = { eventSeq: OUTBOX_LENGTH, outbox: outbox(1, OUTBOX_LENGTH) };
    expect(appendEvents({ eventSeq: 63, outbox: outbox(1, 63) }, [wanted], undefined, NOW)?.outbox).toHaveLength(OUTBOX_LENGTH);
    expect(appendEvents(full, [wanted], undefined, NOW)).toBeUndefined();
    expect(appendEvents(full, [wanted], 1, NOW)?.outbox).toHaveLength(OUTBOX_LENGTH);
    expect(appendEvents(full, [wanted, wanted], 1, NOW)).toBeUndefined();
  });

  it('keeps the short fields of a payload that is too long', () => {
    const long = { type: 'x', data: { story_id: 'login', title: 'x'.repeat(5000) } };
    expect(appendEvents(undefined, [long], undefined, NOW)?.outbox[0]?.data).toBe('{"story_id":"login"}');
  });

  it('has nothing unpublished below the cursor', () => {
    expect(waitingEvents({ eventSeq: 3, outbox: outbox(1, 3) }, 3)).toEqual({ eventSeq: 3, outbox: [] });
    expect(waitingEvents(undefined)).toEqual({ eventSeq: 0, outbox: [] });
  });
});

describe('conditions', () => {
  const old = [{ ...condition('Ready', 'True'), lastTransitionTime: at(-60), observedGeneration: 1 }];
  const want = (type: string, status: 'True' | 'False', reason = 'Because') => ({ type, status, reason, message: 'words' });

  it('keep their time while the status is the same, whatever the words', () => {
    expect(mergeConditions(old, [want('Ready', 'True', 'Other')], NOW, 2)).toEqual([
      { ...condition('Ready', 'True', 'Other', 'words'), lastTransitionTime: at(-60), observedGeneration: 2 },
    ]);
  });

  it('get the present time when the status flips', () => {
    expect(mergeConditions(old, [want('Ready', 'False')], NOW, 1)[0]?.lastTransitionTime).toBe(at());
  });

  it('leave the list when nobody wants them, and stand in the order of their types', () => {
    expect(mergeConditions(old, [want('B', 'True'), want('A', 'True')], NOW, 1).map(({ type }) => type)).toEqual(['A', 'B']);
  });

  it('cut a message to what the schema takes', () => {
    expect(mergeConditions([], [{ ...want('A', 'True'), message: 'x'.repeat(3000) }], NOW, 1)[0]?.message).toHaveLength(1024);
  });
});
