// Strict patterns for what is put into git's argv. Pure.

const branchPattern = /^fleet\/[a-z0-9][a-z0-9.-]{0,62}\/[a-z0-9][a-z0-9.-]{0,252}$/;
const commitPattern = /^[0-9a-f]{40}([0-9a-f]{24})?$/;

/** `refs/heads/fleet/<namespace>/<story>`; throws for any other branch. */
export const branchRef = (branch: string): string => {
  if (!branchPattern.test(branch) || branch.includes('..') || /\.(lock)?$/.test(branch) || branch.includes('.lock/')) {
    throw new Error(`not a story branch: ${JSON.stringify(branch)}`);
  }
  return `refs/heads/${branch}`;
};

export const commitId = (text: string): string => {
  if (!commitPattern.test(text)) throw new Error(`not a commit id: ${JSON.stringify(text.slice(0, 80))}`);
  return text;
};

const refPattern = /^(HEAD|[A-Za-z0-9_][A-Za-z0-9._/-]{0,254})$/;

/** The full names that a Story's ref may stand for; throws for what is no ref. */
export const refCandidates = (ref: string): readonly string[] => {
  const malformed = !refPattern.test(ref) || /\.\.|\/\/|\/\.|\.lock(\/|$)|[./]$/.test(ref);
  if (malformed) throw new Error(`not a ref: ${JSON.stringify(ref.slice(0, 80))}`);
  return ref === 'HEAD' || ref.startsWith('refs/') ? [ref] : [`refs/heads/${ref}`, `refs/tags/${ref}`];
};
