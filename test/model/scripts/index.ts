// The registry of all scripts.
import type { Script } from '../script.ts';
import { notes } from './notes.ts';
import * as nodeLibrary from './node-library.ts';
import * as pythonPackage from './python-package.ts';
import * as trouble from './trouble.ts';

export const scripts: readonly Script[] = [
  ...[nodeLibrary, pythonPackage, trouble].flatMap((module) => Object.values(module)),
  ...notes,
];
