// A table in Markdown that can be read without being rendered. Pure. What stands in it went through `cell` before.

const line = (cells: readonly string[], widths: readonly number[]): string =>
  `| ${cells.map((each, index) => each.padEnd(widths[index] ?? 0)).join(' | ')} |`;

/** The first row is the head. */
export const markdownTable = (rows: readonly (readonly string[])[]): string => {
  const [head = [], ...body] = rows;
  const widths = head.map((_, column) => Math.max(3, ...rows.map((row) => row[column]?.length ?? 0)));
  const rule = widths.map((width) => '-'.repeat(width));
  return [head, rule, ...body].map((row) => line(row, widths)).join('\n');
};
