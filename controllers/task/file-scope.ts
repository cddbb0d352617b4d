// Whether two file scopes may touch the same file. A scope is a list of globs; an empty one is the whole repository.
// May: compare patterns. May not: look at files. In doubt the answer is yes: two Tasks that wait for each other lose time, two that
// write the same file lose work.

const WHOLE = ['**'];

/** Braces and extended groups may span slashes, so that all from there on is taken for anything at all. */
const segmentsOf = (glob: string): readonly string[] => {
  if (glob.startsWith('!')) return WHOLE;
  const segments: string[] = [];
  for (const segment of glob.split('/')) {
    if (segment === '' || segment === '.') continue;
    if (/[{(\\]/.test(segment)) return [...segments, '**'];
    segments.push(segment.includes('[') ? '*' : segment);
  }
  return [...segments, '**']; // `src` may name a file or a folder with everything in it
};

/** Walks two sequences that may hold wildcards; `many` marks an item that stands for any run of the other's items. */
const sequencesMeet = <T>(
  left: readonly T[],
  right: readonly T[],
  many: (item: T) => boolean,
  meet: (a: T, b: T) => boolean,
): boolean => {
  // row[j]: may left[i..] and right[j..] be the same? Filled from the ends, so the cost is left × right whatever the patterns are.
  let below: boolean[] = [];
  for (let i = left.length; i >= 0; i--) {
    const row: boolean[] = new Array<boolean>(right.length + 1).fill(false);
    for (let j = right.length; j >= 0; j--) {
      const a = left[i];
      const b = right[j];
      if (a === undefined && b === undefined) row[j] = true;
      else if (a !== undefined && many(a)) row[j] = below[j] === true || row[j + 1] === true;
      else if (b !== undefined && many(b)) row[j] = row[j + 1] === true || below[j] === true;
      else row[j] = a !== undefined && b !== undefined && meet(a, b) && below[j + 1] === true;
    }
    below = row;
  }
  return below[0] === true;
};

const charactersMeet = (a: string, b: string): boolean => a === b || a === '?' || b === '?';
const segmentsMeet = (a: string, b: string): boolean => sequencesMeet([...a], [...b], (item) => item === '*', charactersMeet);
/** The folders that a glob names before its first wildcard, with a slash at their end; none where its form is unusual. */
const foldersOf = (glob: string): string => (/^[!./]|\/\.?\//.test(glob) ? '' : (/^[^*?[{(\\]*\//.exec(glob)?.[0] ?? ''));

/** Most scopes lie in different folders: then nothing else has to be compared. */
const apart = (a: string, b: string): boolean => {
  const left = foldersOf(a);
  const right = foldersOf(b);
  return !left.startsWith(right) && !right.startsWith(left);
};

const globsMeet = (a: string, b: string): boolean =>
  !apart(a, b) && sequencesMeet(segmentsOf(a), segmentsOf(b), (item) => item === '**', segmentsMeet);

/** True unless it is certain that no file lies in both scopes. */
export const scopesOverlap = (left: readonly string[] = [], right: readonly string[] = []): boolean =>
  left.length === 0 || right.length === 0 || left.some((a) => right.some((b) => globsMeet(a, b)));
