// Quantities of Kubernetes as far as they are used here: digits with an optional fraction and unit. May: compare. Pure.

export const QUANTITY_PATTERN = /^[0-9]+(\.[0-9]+)?(m|k|Ki|M|Mi|G|Gi|T|Ti)?$/;

const units: Readonly<Record<string, number>> = {
  '': 1,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** As a number of cores or bytes; NaN for what is no quantity. */
export const amountOf = (quantity: string): number => {
  const unit = QUANTITY_PATTERN.exec(quantity)?.[2] ?? '';
  return QUANTITY_PATTERN.test(quantity) ? Number.parseFloat(quantity) * (units[unit] ?? Number.NaN) : Number.NaN;
};

export const isMore = (a: string, b: string): boolean => amountOf(a) > amountOf(b);
export const lesser = (a: string, b: string): string => (isMore(a, b) ? b : a);
export const greater = (a: string, b: string): string => (isMore(b, a) ? b : a);
