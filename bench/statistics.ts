// Figures from samples. Pure.

/** The value below which that part (0 to 1) of the samples lies, by nearest rank. @throws without samples */
export const quantile = (samples: readonly number[], part: number): number => {
  const sorted = [...samples].sort((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)];
  if (value === undefined) throw new Error('no samples were taken');
  return value;
};

export const median = (samples: readonly number[]): number => quantile(samples, 0.5);

/** Three figures that count; whole from 100 on. */
export const rounded = (value: number): number => Number(value.toPrecision(value >= 100 ? Math.ceil(Math.log10(value + 1)) : 3));
