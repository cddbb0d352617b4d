/**
 * Says what is going on: nothing for quick work, a line with the elapsed time for whatever takes longer.
 * It holds timers and writes lines to the given log; it knows nothing of the work.
 */
export type Log = (line: string) => void;

const ANNOUNCE_AFTER_MS = 1_500;
const REPEAT_EVERY_MS = 10_000;

export const seconds = (ms: number): string => `${(ms / 1000).toFixed(ms < 9_950 ? 1 : 0)} s`;

/** Runs `work` under a label; `detail` adds what it is at now to the next line of progress. */
export const timed = async <T>(log: Log, label: string, work: (detail: (text: string) => void) => Promise<T>): Promise<T> => {
  const startedAt = performance.now();
  let detail = '';
  let announced = false;
  const say = (): void => {
    const elapsed = announced ? ` ${seconds(performance.now() - startedAt)}` : '';
    announced = true;
    log(`${label} …${elapsed}${detail === '' ? '' : ` (${detail})`}`);
    timer = setTimeout(say, REPEAT_EVERY_MS);
  };
  let timer = setTimeout(say, ANNOUNCE_AFTER_MS);
  try {
    const result = await work((text) => {
      detail = text;
    });
    if (announced) log(`${label}: done in ${seconds(performance.now() - startedAt)}`);
    return result;
  } finally {
    clearTimeout(timer);
  }
};
