// What a ref of a repository points to, asked in git's own protocol (v2 `ls-refs`; a server that knows only v0 lists all refs). The
// answer comes from a server that nobody vouches for: sizes, lines and ids are checked, names are compared and never used.

import { DELIMITER, FLUSH, MalformedPktLine, pktLine, readPktLines, textOf, type PktLine } from './pkt-line.ts';

export interface AdvertisedRef {
  readonly id: string;
  readonly name: string;
  /** For an annotated tag: what it finally points to. */
  readonly peeled?: string | undefined;
}

export type Advertisement =
  { readonly version: 2; readonly objectFormat: string } | { readonly version: 0; readonly refs: readonly AdvertisedRef[] };

const ID = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

const dataOf = (lines: readonly PktLine[]): readonly Buffer[] =>
  lines.flatMap((line) => (line.type === 'data' ? [line.bytes] : []));

const parseV0 = (lines: readonly Buffer[]): readonly AdvertisedRef[] => {
  const refs = new Map<string, AdvertisedRef>();
  for (const line of lines) {
    const nul = line.indexOf(0);
    const [id = '', name = ''] = textOf(nul < 0 ? line : line.subarray(0, nul)).split(' ');
    if (!ID.test(id)) throw new MalformedPktLine('a ref without an id');
    const tag = name.endsWith('^{}') ? refs.get(name.slice(0, -3)) : undefined;
    if (tag === undefined) refs.set(name, { id, name });
    else refs.set(tag.name, { ...tag, peeled: id });
  }
  return [...refs.values()].filter(({ name }) => name !== 'capabilities^{}');
};

/** Reads the answer to `info/refs?service=git-upload-pack`. Throws MalformedPktLine. */
export const parseAdvertisement = (bytes: Buffer): Advertisement => {
  const lines = readPktLines(bytes);
  const data = dataOf(lines);
  const service = data[0] !== undefined && textOf(data[0]) === '# service=git-upload-pack' ? 1 : 0;
  const rest = data.slice(service);
  const words = rest.map((line) => textOf(line));
  if (words[0] !== 'version 2') return { version: 0, refs: parseV0(words[0] === 'version 1' ? rest.slice(1) : rest) };
  if (!words.some((word) => word === 'ls-refs' || word.startsWith('ls-refs=')))
    throw new MalformedPktLine('the server offers no ls-refs');
  const format = words.find((word) => word.startsWith('object-format='));
  return { version: 2, objectFormat: format?.slice('object-format='.length) ?? 'sha1' };
};

/** The names a ref of a Story may stand for, the first that exists wins: as `git rev-parse` does it, without the surprises. */
export const candidatesOf = (ref: string): readonly string[] =>
  ref === 'HEAD' || ref.startsWith('refs/') ? [ref] : [`refs/heads/${ref}`, `refs/tags/${ref}`];

export const lsRefsRequest = (ref: string, objectFormat: string): Buffer =>
  Buffer.concat([
    pktLine('command=ls-refs\n'),
    pktLine('agent=swe-fleet-gateway\n'),
    ...(objectFormat === 'sha1' ? [] : [pktLine(`object-format=${objectFormat}\n`)]),
    DELIMITER,
    pktLine('peel\n'),
    ...candidatesOf(ref).map((name) => pktLine(`ref-prefix ${name}\n`)),
    FLUSH,
  ]);

/** Reads the answer to `ls-refs`. Throws MalformedPktLine. */
export const parseLsRefs = (bytes: Buffer): readonly AdvertisedRef[] =>
  dataOf(readPktLines(bytes)).map((line) => {
    const [id = '', name = '', ...attributes] = textOf(line).split(' ');
    if (!ID.test(id)) throw new MalformedPktLine(id === 'unborn' ? 'the ref is not born yet' : 'a ref without an id');
    const peeled = attributes.find((word) => word.startsWith('peeled:'))?.slice('peeled:'.length);
    if (peeled !== undefined && !ID.test(peeled)) throw new MalformedPktLine('a tag peeled to no id');
    return { id, name, peeled };
  });

/** The commit (or peeled tag) of a ref among those listed. */
export const commitOf = (ref: string, refs: readonly AdvertisedRef[]): string | undefined => {
  for (const name of candidatesOf(ref)) {
    const found = refs.find((one) => one.name === name);
    if (found !== undefined) return found.peeled ?? found.id;
  }
  return undefined;
};
