// Texts that turns are about, kept by digest: of one Deliberation's turns most read the same ones.
// May: keep what was read and written. A text is kept under its root, so that no turn reads another root's by its digest alone.

import { LRUCache } from 'lru-cache';

export interface Texts {
  get(rootUid: string, digest: string): string | undefined;
  keep(rootUid: string, digest: string, text: string): void;
}

const MAX_CHARS = 32 * 1024 * 1024;

export const makeTexts = (maxChars = MAX_CHARS): Texts => {
  const kept = new LRUCache<string, string>({ maxSize: maxChars, sizeCalculation: (text) => Math.max(1, text.length) });
  return {
    get: (rootUid, digest) => kept.get(`${rootUid}/${digest}`),
    keep: (rootUid, digest, text) => void kept.set(`${rootUid}/${digest}`, text),
  };
};
