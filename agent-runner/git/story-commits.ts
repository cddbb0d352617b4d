// The commits that the fleet made on a story branch, told apart by their trailers, and the message that carries these.
import type { Git, GitOptions } from './driver.ts';

export interface StoryCommit {
  readonly id: string;
  /** The first one. */
  readonly parent: string;
  readonly story: string;
  readonly task: string;
  readonly attempt: string;
  readonly evidence: string;
}

const MAX_COMMITS = 5_000;
const trailer = (key: string): string => `%(trailers:key=${key},valueonly,unfold,separator=%x2C)`;

/** Newest first, at most 5,000: what `head` has and `base` has not. */
export const commitsBetween = async (
  git: Git,
  options: GitOptions,
  range: { readonly base: string; readonly head: string },
): Promise<readonly StoryCommit[]> => {
  const keys = ['Swefleet-Story', 'Swefleet-Task', 'Swefleet-Attempt', 'Swefleet-Evidence'];
  const format = ['%H', '%P', ...keys.map(trailer)].join('%x00');
  const listed = await git.line(
    ['log', `--max-count=${MAX_COMMITS}`, `--format=${format}`, `${range.base}..${range.head}`, '--'],
    options,
  );
  if (listed === '') return [];
  return listed.split('\n').map((line) => {
    const fields = line.split('\0').map((field) => field.trim());
    const [id = '', parents = '', story = '', task = '', attempt = '', evidence = ''] = fields;
    return { id, parent: parents.split(' ')[0] ?? '', story, task, attempt, evidence };
  });
};

export interface CommitWords {
  readonly title: string;
  readonly summary: string;
  readonly story: string;
  readonly plan: string;
  readonly task: string;
  readonly attempt: number;
  readonly evidence: string;
}

const MAX_SUMMARY = 2_000;

/** Title, summary and trailers. The summary is an agent's text: it cannot add or imitate a trailer, and it holds no control characters. */
export const commitMessage = (words: CommitWords): string => {
  const trailers = [
    `Swefleet-Story: ${words.story}`,
    `Swefleet-Plan: ${words.plan}`,
    `Swefleet-Task: ${words.task}`,
    `Swefleet-Attempt: ${words.attempt}`,
    `Swefleet-Evidence: ${words.evidence}`,
  ];
  const summary = clean(words.summary)
    .slice(0, MAX_SUMMARY)
    .replace(/^(?=[ \t]*swefleet-)/gim, '> ')
    .trim();
  const title = clean(words.title).replace(/\s+/g, ' ').trim().slice(0, 200);
  return [title, summary, trailers.join('\n')].filter((part) => part !== '').join('\n\n') + '\n';
};

const clean = (text: string): string => text.replace(/\r\n?/g, '\n').replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, '');
