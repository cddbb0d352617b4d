// Objects as a server keeps them: plain data without `undefined`, frozen whole, so that everybody may share them. What a caller hands over is
// frozen too: whoever changes it afterwards is found out at once, as text that was sent cannot be changed either.

const kept = new WeakSet();

type Plain = Record<string, unknown>;
export const isPlain = (value: unknown): value is Plain => typeof value === 'object' && value !== null && !Array.isArray(value);

const keptList = (list: readonly unknown[]): readonly unknown[] => {
  const items = list.map((item) => asKept(item === undefined ? null : item));
  return items.every((item, index) => item === list[index]) ? list : items;
};

const keptRecord = (record: Plain): Plain => {
  let copy: Plain | undefined;
  for (const name in record) {
    const value = record[name];
    const one = asKept(value);
    if (one === value && one !== undefined) continue;
    copy ??= { ...record };
    if (one === undefined) delete copy[name];
    else copy[name] = one;
  }
  return copy ?? record;
};

/** The same data; the very object wherever that is possible. */
export const asKept = <T>(value: T): T => {
  if (typeof value !== 'object' || value === null || kept.has(value)) return value;
  const whole = Array.isArray(value) ? keptList(value) : keptRecord(value as Plain);
  if (whole !== value) Object.freeze(value);
  kept.add(Object.freeze(whole));
  return whole as T;
};
