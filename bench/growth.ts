// The plot of what one more Task costs while more and more are unfinished, as an SVG that reads on light and dark ground. Pure.

import type { Row } from './rows.ts';

/** Numbers of unfinished Tasks, from the least to the most. */
export const SIZES: readonly number[] = [1_000, 3_000, 10_000];

export const timePerTaskRow = (count: number): string => `time per Task with ${count} unfinished`;

const WIDTH = 640;
const HEIGHT = 320;
const EDGE = { left: 70, right: 30, top: 50, bottom: 50 };
const STEPS = 4;

interface Point {
  readonly count: number;
  readonly ms: number;
}

const pointsOf = (rows: readonly Row[]): readonly Point[] =>
  SIZES.flatMap((count) => {
    const ms = rows.find(({ name }) => name === timePerTaskRow(count))?.value;
    return ms === undefined || ms === null ? [] : [{ count, ms }];
  });

/** A round number at or above it. */
const ceiling = (value: number): number => {
  const unit = 10 ** Math.floor(Math.log10(value));
  return Math.ceil(value / unit) * unit;
};

const text = (x: number, y: number, anchor: 'start' | 'middle' | 'end', words: string): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">${words}</text>`;

/** undefined: fewer than two sizes were measured. */
export const growthPlot = (rows: readonly Row[]): string | undefined => {
  const points = pointsOf(rows);
  const [first] = points;
  if (first === undefined || points.length < 2) return undefined;
  const top = ceiling(Math.max(...points.map(({ ms }) => ms)) * 1.1);
  const most = Math.max(...SIZES);
  const x = (count: number): number => EDGE.left + (count / most) * (WIDTH - EDGE.left - EDGE.right);
  const y = (ms: number): number => HEIGHT - EDGE.bottom - (ms / top) * (HEIGHT - EDGE.top - EDGE.bottom);
  const grid = Array.from({ length: STEPS + 1 }, (_, step) => {
    const ms = (top * step) / STEPS;
    const line = `<line class="grid" x1="${EDGE.left}" x2="${WIDTH - EDGE.right}" y1="${y(ms).toFixed(1)}" y2="${y(ms).toFixed(1)}"/>`;
    return line + text(EDGE.left - 8, y(ms) + 4, 'end', `${Number(ms.toPrecision(3))}`);
  });
  const path = points.map(({ count, ms }) => `${x(count).toFixed(1)},${y(ms).toFixed(1)}`).join(' ');
  const marks = points.map(
    ({ count, ms }) =>
      `<circle cx="${x(count).toFixed(1)}" cy="${y(ms).toFixed(1)}" r="4"/>` +
      text(x(count), y(ms) - 10, 'middle', `${ms} ms`) +
      text(x(count), HEIGHT - EDGE.bottom + 20, 'middle', count.toLocaleString('en-US')),
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="Time per Task by unfinished Tasks">
<style>
text { font: 13px sans-serif; fill: #57606a } .title { font-weight: bold }
.grid { stroke: #8c959f; stroke-opacity: 0.35 } .goal { stroke: #8c959f; stroke-dasharray: 5 5 }
polyline { fill: none; stroke: #2f81f7; stroke-width: 2 } circle { fill: #2f81f7 }
@media (prefers-color-scheme: dark) { text { fill: #9da7b3 } }
</style>
<text class="title" x="${EDGE.left}" y="24">Time per Task (ms) while so many Tasks are unfinished; dashed: 1.2 × the first</text>
${grid.join('\n')}
<line class="goal" x1="${EDGE.left}" x2="${WIDTH - EDGE.right}" y1="${y(first.ms * 1.2).toFixed(1)}" y2="${y(first.ms * 1.2).toFixed(1)}"/>
<polyline points="${path}"/>
${marks.join('\n')}
</svg>
`;
};
