// The desk of an endpoint: what begins when, by a clock that the test moves.

import { describe, expect, it } from 'vitest';
import { Desk } from '../../../agent-pool/desk.ts';
import type { TurnPriority } from '../../../crds/contracts/turns.ts';
import { flush, handClock } from '../runtime/hand-clock.ts';

const makeStage = (slots: number) => {
  const clock = handClock();
  const begun: string[] = [];
  const returned: string[] = [];
  const ends = new Map<string, () => void>();
  const turn = (name: string, hasMoreBehind = false) => ({ name, hasMoreBehind, giveBack: () => void returned.push(name) });
  const desk = new Desk<ReturnType<typeof turn>>({
    ...{ slots, clock },
    work: ({ name }) => {
      begun.push(name);
      return new Promise((resolve) => ends.set(name, resolve));
    },
  });
  return {
    ...{ desk, clock, begun, returned },
    offer: (priority: TurnPriority, name: string, hasMoreBehind = false) => desk.offer(priority, turn(name, hasMoreBehind)),
    end: async (name: string) => {
      ends.get(name)?.();
      await flush();
    },
  };
};

describe('the desk of an endpoint', () => {
  it('begins what has a slot, and lets the next wait for one', async () => {
    const { offer, begun, end } = makeStage(2);
    await offer('normal', 'a');
    await offer('normal', 'b');
    const taken = offer('normal', 'c');
    expect(begun).toEqual(['a', 'b']);
    await end('a');
    await taken;
    expect(begun).toEqual(['a', 'b', 'c']);
  });

  it('gives a slot to the highest that waits', async () => {
    const { offer, begun, end } = makeStage(1);
    await offer('low', 'first');
    void offer('low', 'low');
    void offer('normal', 'normal');
    void offer('high', 'high');
    for (const name of ['first', 'high', 'normal']) await end(name);
    expect(begun).toEqual(['first', 'high', 'normal', 'low']);
  });

  it('keeps a free slot for a higher one that is on its way', async () => {
    const { offer, begun } = makeStage(3);
    await offer('high', 'high 1', true);
    const low = offer('low', 'low');
    expect(begun).toEqual(['high 1']);
    await offer('high', 'high 2');
    await low;
    expect(begun).toEqual(['high 1', 'high 2', 'low']);
  });

  it('keeps it for no longer than another replica might have taken that one', async () => {
    const { offer, begun, clock } = makeStage(2);
    await offer('high', 'high 1', true);
    void offer('low', 'low');
    await clock.advance(49);
    expect(begun).toEqual(['high 1']);
    await clock.advance(1);
    expect(begun).toEqual(['high 1', 'low']);
  });

  it('begins what waits when it gets more slots, and goes on with what has one when it gets fewer', async () => {
    const { desk, offer, begun, end } = makeStage(1);
    await offer('normal', 'a');
    void offer('normal', 'b');
    desk.resize(2);
    expect(begun).toEqual(['a', 'b']);
    desk.resize(1);
    void offer('normal', 'c');
    await end('a');
    expect(begun).toEqual(['a', 'b']);
    await end('b');
    expect(begun).toEqual(['a', 'b', 'c']);
  });

  it('gives back what waits when it closes, and all that comes later', async () => {
    const { desk, offer, begun, returned, end } = makeStage(1);
    await offer('normal', 'a');
    const waiting = offer('low', 'b');
    desk.close();
    await waiting;
    await offer('high', 'c');
    await end('a');
    expect([begun, returned]).toEqual([['a'], ['b', 'c']]);
  });
});
