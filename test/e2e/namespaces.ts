// A namespace for each end-to-end file, so that none sees another's Stories. The chart puts its Councils into all of them.
export const WALK = 'e2e-walk';
export const PYTHON = 'e2e-python';
export const RETRY = 'e2e-retry';
export const ESCAPE = 'e2e-escape';
export const OPEN = 'e2e-open';
export const FORGED = 'e2e-forged';
export const RESTART = 'e2e-restart';
export const QUIET = 'e2e-quiet';
export const HOSTILE = 'e2e-hostile';
export const GPU = 'e2e-gpu';
export const ASKED = 'e2e-asked';
export const E2E_NAMESPACES: readonly string[] = [
  ...[WALK, PYTHON, RETRY, ESCAPE, OPEN, FORGED, RESTART, QUIET, HOSTILE, GPU],
  ASKED,
];
