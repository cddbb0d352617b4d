// One account of the ledger as a value, and what a reservation, a settlement and a seed make of it. Pure: the clock is an argument.
//
//   reserve ─► {id, amount, until} ─► settle: the reservation goes, what was really used is spent
//                     └── nobody settles (its replica died): from `until` on it no longer counts and the next write drops it

export interface Reservation {
  readonly id: string;
  readonly amount: number;
  /** Epoch milliseconds from which it no longer counts. */
  readonly until: number;
}

export interface Account {
  readonly spent: number;
  readonly reservations: readonly Reservation[];
}

export type Change =
  /** Grants `amount` if what is spent and reserved stays within `limit`. Asked twice with one id, it is granted once. */
  | { readonly verb: 'reserve'; readonly id: string; readonly amount: number; readonly limit: number; readonly until: number }
  /**
   * Ends a reservation, of which `amount` was used; `until` is the reservation's own. When it is gone before that date it was settled by an
   * earlier try whose answer was lost, and nothing is added; gone after it, it had expired, and what was used is still spent.
   */
  | { readonly verb: 'settle'; readonly id: string; readonly amount: number; readonly until: number }
  /** Sets `spent` to at least this much: what the objects' status knows, after the ledger was lost. */
  | { readonly verb: 'seed'; readonly spent: number };

/** `available` is what could still be reserved before the change was asked for. */
export interface Grant {
  readonly granted: boolean;
  readonly available: number;
  /** When the earliest reservation in the way runs out. */
  readonly freeAt?: number;
}

export const EMPTY: Account = { spent: 0, reservations: [] };

/** More live reservations than this on one account are refused: its value must stay a small message. */
export const MAX_RESERVATIONS = 500;

export const live = (account: Account, now: number): Account => {
  const reservations = account.reservations.filter((reservation) => reservation.until > now);
  return reservations.length === account.reservations.length ? account : { ...account, reservations };
};

export const committed = (account: Account): number =>
  account.spent + account.reservations.reduce((sum, reservation) => sum + reservation.amount, 0);

const reserve = (account: Account, change: Change & { readonly verb: 'reserve' }): { account: Account; grant: Grant } => {
  const available = Math.max(0, change.limit - committed(account));
  if (account.reservations.some((reservation) => reservation.id === change.id))
    return { account, grant: { granted: true, available } };
  if (change.amount > available || account.reservations.length >= MAX_RESERVATIONS) {
    const ends = account.reservations.map((reservation) => reservation.until);
    return { account, grant: { granted: false, available, ...(ends.length > 0 && { freeAt: Math.min(...ends) }) } };
  }
  const { id, amount, until } = change;
  return {
    account: { ...account, reservations: [...account.reservations, { id, amount, until }] },
    grant: { granted: true, available },
  };
};

const settle = (account: Account, change: Change & { readonly verb: 'settle' }, now: number): Account => {
  const reservations = account.reservations.filter((reservation) => reservation.id !== change.id);
  const held = reservations.length < account.reservations.length;
  if (!held && now < change.until) return account;
  return { spent: account.spent + change.amount, reservations };
};

/** What a change makes of an account at that time. The same account (by identity) means: nothing to write. */
export const applyChange = (before: Account, change: Change, now: number): { account: Account; grant: Grant } => {
  // a settlement must still find its own reservation, expired or not
  const account = change.verb === 'settle' ? before : live(before, now);
  const fine: Grant = { granted: true, available: 0 };
  switch (change.verb) {
    case 'reserve':
      return reserve(account, change);
    case 'settle':
      return { account: live(settle(account, change, now), now), grant: fine };
    case 'seed':
      return { account: account.spent >= change.spent ? account : { ...account, spent: change.spent }, grant: fine };
  }
};
