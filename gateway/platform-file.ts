// The platform engineer's configuration, from a file that may be replaced at any moment (a mounted ConfigMap). Read and validated whole;
// a bad new version is logged and the one in use stays.

import { readFile } from 'node:fs/promises';
import { platformConfig, type PlatformConfig } from '../crds/contracts/platform.ts';
import { wordsOf, type Log } from './log.ts';

/** Throws with every complaint when the file is missing or invalid. */
export const readPlatform = async (file: string): Promise<PlatformConfig> => {
  const result = platformConfig.safeParse(JSON.parse(await readFile(file, 'utf8')));
  if (result.success) return result.data;
  const complaints = result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new Error(`${file}: ${complaints.join('; ')}`);
};

/** The newest good version; looks at the file on a timer until `signal` aborts. */
export const followPlatform = async (
  file: string,
  options: { readonly everyMs: number; readonly log: Log; readonly signal: AbortSignal },
): Promise<() => PlatformConfig> => {
  let current = await readPlatform(file);
  const look = async (): Promise<void> => {
    try {
      const next = await readPlatform(file);
      if (JSON.stringify(next) === JSON.stringify(current)) return;
      current = next;
      options.log.write('info', 'platform configuration replaced', { upstreams: next.upstreams.length });
    } catch (error) {
      options.log.write('error', 'platform configuration not replaced', { error: wordsOf(error) });
    }
  };
  const timer = setInterval(() => void look(), options.everyMs).unref();
  options.signal.addEventListener('abort', () => clearInterval(timer), { once: true });
  return () => current;
};
