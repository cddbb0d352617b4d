// One account: before, change, time -> after and grant.

import { describe, expect, it } from 'vitest';
import { applyChange, EMPTY, MAX_RESERVATIONS, type Account, type Change } from '../../../gateway/ledger/account.ts';

const NOW = 1_000_000;
const reserve = (id: string, amount: number, limit = 100): Change => ({
  verb: 'reserve',
  id,
  amount,
  limit,
  until: NOW + 60_000,
});
const settle = (id: string, amount: number): Change => ({ verb: 'settle', id, amount, until: NOW + 60_000 });
const held = (id: string, amount: number, until = NOW + 60_000) => ({ id, amount, until });

const cases: readonly {
  readonly name: string;
  readonly given: Account;
  readonly change: Change;
  readonly now?: number;
  readonly want: Account;
  readonly granted: boolean;
}[] = [
  {
    name: 'a reservation within the limit is held',
    given: EMPTY,
    change: reserve('a', 40),
    want: { spent: 0, reservations: [held('a', 40)] },
    granted: true,
  },
  {
    name: 'the whole limit may be reserved',
    given: { spent: 60, reservations: [] },
    change: reserve('a', 40),
    want: { spent: 60, reservations: [held('a', 40)] },
    granted: true,
  },
  {
    name: 'one more than the limit is refused and nothing changes',
    given: { spent: 61, reservations: [] },
    change: reserve('a', 40),
    want: { spent: 61, reservations: [] },
    granted: false,
  },
  {
    name: 'what others hold counts',
    given: { spent: 0, reservations: [held('b', 61)] },
    change: reserve('a', 40),
    want: { spent: 0, reservations: [held('b', 61)] },
    granted: false,
  },
  {
    name: 'what others held and never settled does not count after its end',
    given: { spent: 0, reservations: [held('b', 61, NOW)] },
    change: reserve('a', 40),
    want: { spent: 0, reservations: [held('a', 40)] },
    granted: true,
  },
  {
    name: 'a reservation asked for twice is held once',
    given: { spent: 0, reservations: [held('a', 40)] },
    change: reserve('a', 40),
    want: { spent: 0, reservations: [held('a', 40)] },
    granted: true,
  },
  {
    name: 'a settlement turns the reservation into what was used',
    given: { spent: 5, reservations: [held('a', 40), held('b', 1)] },
    change: settle('a', 12),
    want: { spent: 17, reservations: [held('b', 1)] },
    granted: true,
  },
  {
    name: 'a settlement may cost more than was reserved',
    given: { spent: 0, reservations: [held('a', 40)] },
    change: settle('a', 50),
    want: { spent: 50, reservations: [] },
    granted: true,
  },
  {
    name: 'a settlement that already happened adds nothing',
    given: { spent: 12, reservations: [] },
    change: settle('a', 12),
    want: { spent: 12, reservations: [] },
    granted: true,
  },
  {
    name: 'a settlement after its reservation ran out is still spent',
    given: { spent: 12, reservations: [] },
    change: settle('a', 12),
    now: NOW + 60_001,
    want: { spent: 24, reservations: [] },
    granted: true,
  },
  {
    name: 'a settlement finds its own expired reservation',
    given: { spent: 0, reservations: [held('a', 40)] },
    change: settle('a', 12),
    now: NOW + 60_001,
    want: { spent: 12, reservations: [] },
    granted: true,
  },
  {
    name: 'a seed raises what is spent',
    given: EMPTY,
    change: { verb: 'seed', spent: 70 },
    want: { spent: 70, reservations: [] },
    granted: true,
  },
  {
    name: 'a seed never lowers what is spent',
    given: { spent: 80, reservations: [] },
    change: { verb: 'seed', spent: 70 },
    want: { spent: 80, reservations: [] },
    granted: true,
  },
];

describe('a change of an account', () => {
  it.each(cases)('$name', ({ given, change, now, want, granted }) => {
    const { account, grant } = applyChange(given, change, now ?? NOW);
    expect(account).toEqual(want);
    expect(grant.granted).toBe(granted);
  });

  it('says what is available and when something comes free', () => {
    const given: Account = { spent: 10, reservations: [held('b', 80, NOW + 5), held('c', 1, NOW + 3)] };
    expect(applyChange(given, reserve('a', 40), NOW).grant).toEqual({ granted: false, available: 9, freeAt: NOW + 3 });
  });

  it('refuses more reservations than an account may hold', () => {
    const reservations = Array.from({ length: MAX_RESERVATIONS }, (_, at) => held(`r${at}`, 0));
    expect(applyChange({ spent: 0, reservations }, reserve('a', 1), NOW).grant.granted).toBe(false);
  });

  it('leaves the account itself untouched when there is nothing to write', () => {
    const given: Account = { spent: 100, reservations: [] };
    expect(applyChange(given, reserve('a', 1), NOW).account).toBe(given);
  });
});
