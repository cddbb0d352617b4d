// tree: prints Stories once, or again whenever something changes.

import { isFinished } from '../crds/rules/phases.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { find, type Cluster } from './cluster.ts';
import type { TreeRequest } from './requests.ts';
import { storyTree } from './story-tree.ts';
import type { Terminal } from './terminal.ts';
import { Changes, followStories, type Stories } from './views.ts';

/** Changes come in bursts; one picture for each. */
const SETTLE_MS = 150;
const CLEAR = '\u001b[H\u001b[2J\u001b[3J';

type Where = Pick<Cluster, 'client' | 'namespace'>;

const picture = (stories: Stories, namespace: string, terminal: Terminal): string => {
  const views = stories.views();
  if (views.length === 0) return `no Stories in namespace ${namespace}\n`;
  return views.map((view) => storyTree(view, Date.now(), terminal.paint)).join('\n');
};

/** Draws after each change; ends when `over` says so. */
const redraw = async (changes: Changes, draw: () => string, over: () => boolean, terminal: Terminal): Promise<void> => {
  for (let shown = ''; ;) {
    const next = changes.next();
    const text = draw();
    if (text !== shown) terminal.write(terminal.isInteractive ? CLEAR + text : `${shown === '' ? '' : '\n'}${text}`);
    shown = text;
    if (over()) return;
    await next;
    await sleep(SETTLE_MS);
  }
};

export const printTree = async (request: TreeRequest, where: Where, terminal: Terminal): Promise<void> => {
  if (request.story !== undefined) await find(where, 'story', request.story);
  const end = new AbortController();
  const changes = new Changes();
  try {
    const stories = followStories(where, request.story, { changes, signal: end.signal });
    await stories.ready;
    const draw = (): string => picture(stories, where.namespace, terminal);
    const over = (): boolean => request.story !== undefined && stories.views().every(({ story }) => isFinished(story));
    if (request.watch) await redraw(changes, draw, over, terminal);
    else terminal.write(draw());
  } finally {
    end.abort();
  }
};
