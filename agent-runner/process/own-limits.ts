// The resource limits of this very process, which any process of its user may change from outside. May: read /proc/self.
import { readFile } from 'node:fs/promises';

/** As the kernel words them; two readings that differ mean that somebody meddled. */
export const ownLimits = (): Promise<string> => readFile('/proc/self/limits', 'utf8');
