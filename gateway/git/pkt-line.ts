// Git's pkt-line framing (gitprotocol-common): four hexadecimal digits of length, then that many bytes less four. Pure parsing of
// bytes that a stranger sent: every length is checked before it is believed.

export type PktLine =
  { readonly type: 'data'; readonly bytes: Buffer } | { readonly type: 'flush' | 'delimiter' | 'response-end' };

export class MalformedPktLine extends Error {
  override readonly name = 'MalformedPktLine';
}

/** A line is at most 65,520 bytes, its four digits included. */
export const MAX_PKT_LINE = 65_520;

const MARKS = { 0: 'flush', 1: 'delimiter', 2: 'response-end' } as const;

/** The first line of `bytes` and how many bytes it took; undefined when it is not whole yet. */
export const readPktLine = (bytes: Buffer): { readonly line: PktLine; readonly length: number } | undefined => {
  if (bytes.length < 4) return undefined;
  const digits = bytes.toString('latin1', 0, 4);
  if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw new MalformedPktLine('a length is not four hexadecimal digits');
  const length = Number.parseInt(digits, 16);
  if (length === 0 || length === 1 || length === 2) return { line: { type: MARKS[length] }, length: 4 };
  if (length < 4 || length > MAX_PKT_LINE) throw new MalformedPktLine(`a line of length ${length}`);
  if (bytes.length < length) return undefined;
  return { line: { type: 'data', bytes: bytes.subarray(4, length) }, length };
};

/** All lines of a whole message. Throws on a broken or unfinished one. */
export const readPktLines = (bytes: Buffer): readonly PktLine[] => {
  const lines: PktLine[] = [];
  for (let at = 0; at < bytes.length;) {
    const next = readPktLine(bytes.subarray(at));
    if (next === undefined) throw new MalformedPktLine('the message ends within a line');
    lines.push(next.line);
    at += next.length;
  }
  return lines;
};

export const FLUSH = Buffer.from('0000');
export const DELIMITER = Buffer.from('0001');

export const pktLine = (text: string): Buffer => {
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length + 4 > MAX_PKT_LINE) throw new MalformedPktLine('too long for a line');
  return Buffer.concat([Buffer.from((bytes.length + 4).toString(16).padStart(4, '0')), bytes]);
};

/** The text of a data line without its newline. */
export const textOf = (bytes: Buffer): string => bytes.toString('utf8').replace(/\n$/, '');
