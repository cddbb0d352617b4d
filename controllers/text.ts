// Texts as a status takes them: no longer than its schema says, and never with half a character at the end, which the API server would
// store as another one, so that what was written would for ever differ from what is wanted.

const ELLIPSIS = '…';
const HALF_AT_END = /[\uD800-\uDBFF]$/;

/** At most `length` UTF-16 units, the last of which is an ellipsis where something was cut. */
export const clipped = (text: string, length: number): string =>
  text.length <= length ? text : `${text.slice(0, length - ELLIPSIS.length).replace(HALF_AT_END, '')}${ELLIPSIS}`;

const REASON = /^[A-Za-z][A-Za-z0-9]{0,63}$/;

/** A reason that somebody else gave, if it is one that a condition takes. */
export const reasonOr = (given: string | undefined, otherwise: string): string =>
  given !== undefined && REASON.test(given) ? given : otherwise;
