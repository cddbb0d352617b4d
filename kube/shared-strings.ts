// One copy of a string that comes again and again: times, digests, reasons and sentences are half of what thousands of objects hold, and each
// answer of the API server brings them anew.

/** Enough for what a few hundred objects have in common, and little beside them. */
const MOST = 4_096;
/** What is longer is rarely said twice. */
const LONGEST = 256;

const known = new Map<string, string>();

/** The same text, of which an earlier copy may be at hand. */
export const shared = (text: string): string => {
  if (text.length > LONGEST) return text;
  const copy = known.get(text);
  if (copy !== undefined) return copy;
  if (known.size === MOST) known.clear();
  known.set(text, text);
  return text;
};
