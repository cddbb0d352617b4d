// A guarantee that does not hold ends the run, with what it is and what was seen.

import { keyOf } from '../../kube/object.ts';
import type { SimObject } from './api-server.ts';

export class Broken extends Error {
  override readonly name = 'Broken';
}

export const check = (holds: boolean, guarantee: string, what: () => string): void => {
  if (!holds) throw new Broken(`${guarantee}: ${what()}`);
};

export const nameOf = ({ kind, metadata }: SimObject): string => `${kind} ${keyOf(metadata)}`;
