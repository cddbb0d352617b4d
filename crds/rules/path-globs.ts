// Which paths a list of globs means: file scopes and protected paths, for patches that were made and for proposals that only name paths.
// May: compare texts. May not: look at files.
import picomatch from 'picomatch';

interface MatchOptions {
  /** Where a protection could be walked around on a file system that ignores case too. */
  readonly ignoreCase?: boolean;
}

/** Whether a path, relative to the root of the repository, matches one of them; of no globs none. */
export const pathMatcher = (
  globs: readonly string[],
  { ignoreCase: nocase = false }: MatchOptions = {},
): ((path: string) => boolean) => {
  const tests = globs.map((glob) => picomatch(withFolderContents(glob), { dot: true, nocase, nonegate: true, noextglob: true }));
  return (path) => tests.some((test) => test(path));
};

/** `docs/` means what is in it, as people write it. */
const withFolderContents = (glob: string): string => (glob.endsWith('/') ? `${glob}**` : glob);

/** A name that no glob is likely to spell out, and how deep `**` may reach: none, one and several folders. */
const ANY = 'zqx';
const DEPTHS = [[], [ANY], [ANY, ANY, ANY]] as const;
const MAX_SAMPLES = 81;

/**
 * Paths that a glob matches, one for each depth of its `**`: what holds for all of them is taken to hold for the glob. Braces and brackets are
 * not taken apart but stand for a name of their own, so that they lie only in what takes any name.
 */
export const samplesOf = (glob: string): readonly string[] =>
  withFolderContents(glob)
    .split('/')
    .reduce<readonly (readonly string[])[]>(
      (starts, part) => starts.flatMap((start) => extended(start, part)).slice(0, MAX_SAMPLES),
      [[]],
    )
    .map((parts) => parts.join('/'))
    .filter((path) => path !== '');

const extended = (start: readonly string[], part: string): readonly (readonly string[])[] => {
  if (part === '**') return DEPTHS.map((depth) => [...start, ...depth]);
  return [[...start, part.replace(/\{[^}]*\}|\[[^\]]*\]|\*+/g, ANY).replaceAll('?', 'z')]];
};
