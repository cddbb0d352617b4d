// Answers of a server as they come: of unknown shape until somebody has looked.

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The member of a record, itself a record; an empty one for anything else, so that look-ups may follow one another. */
export const recordAt = (value: unknown, member: string): Readonly<Record<string, unknown>> => {
  const found = isRecord(value) ? value[member] : undefined;
  return isRecord(found) ? found : {};
};
