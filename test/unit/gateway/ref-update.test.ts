// What a push may be: bytes of the command list -> update or refusal.

import { describe, expect, it } from 'vitest';
import { FLUSH, MalformedPktLine, pktLine } from '../../../gateway/git/pkt-line.ts';
import { judgePush, MAX_COMMAND_BYTES, type ExpectedPush } from '../../../gateway/git/ref-update.ts';

const OLD = 'a'.repeat(40);
const NEW = 'b'.repeat(40);
const ZERO = '0'.repeat(40);
const REF = 'refs/heads/fleet/team/add-greeting';
const CAPABILITIES = ' report-status-v2 side-band-64k object-format=sha1 agent=git/2.39.5';

const expected: ExpectedPush = { ref: REF, commit: NEW, head: OLD };
const command = (text: string, capabilities = CAPABILITIES): Buffer => pktLine(`${text}\0${capabilities}`);
const push = (...lines: readonly Buffer[]): Buffer => Buffer.concat([...lines, FLUSH, Buffer.from('PACK…')]);

describe('a push that is let through', () => {
  it('creates the Story branch, of which the git server makes sure that it is new', () => {
    const judged = judgePush(push(command(`${ZERO} ${NEW} ${REF}`)), expected);
    expect(judged).toMatchObject({ type: 'update', update: { oldId: ZERO, newId: NEW, ref: REF } });
  });

  it('moves the Story branch, and says where the pack begins', () => {
    const list = Buffer.concat([command(`${OLD} ${NEW} ${REF}`), FLUSH]);
    expect(judgePush(Buffer.concat([list, Buffer.from('PACK')]), expected)).toMatchObject({
      type: 'update',
      length: list.length,
    });
  });

  it('is the commit that merge made on the head that merge saw', () => {
    expect(judgePush(push(command(`${OLD} ${NEW} ${REF}`)), expected)).toMatchObject({
      type: 'update',
    });
  });

  it('is a probe of nothing but a flush', () => {
    expect(judgePush(FLUSH, expected)).toEqual({ type: 'probe', length: 4 });
  });
});

describe('a push that is refused', () => {
  const list = `${OLD} ${NEW} ${REF}`;
  const cases: readonly { readonly why: string; readonly bytes: Buffer; readonly want: RegExp; readonly given?: ExpectedPush }[] =
    [
      { why: 'another branch', bytes: push(command(`${OLD} ${NEW} refs/heads/main`)), want: /only refs\/heads\/fleet/ },
      {
        why: "another namespace's branch",
        bytes: push(command(`${OLD} ${NEW} refs/heads/fleet/other/add-greeting`)),
        want: /only refs/,
      },
      { why: 'a branch that merely begins like ours', bytes: push(command(`${OLD} ${NEW} ${REF}-2`)), want: /only refs/ },
      { why: 'a tag', bytes: push(command(`${ZERO} ${NEW} refs/tags/v1`)), want: /only refs/ },
      {
        why: 'a ref with a trailing newline in its name',
        bytes: push(command(`${OLD} ${NEW} ${REF}\n`)),
        want: /only refs|cannot be read/,
      },
      { why: 'a deletion', bytes: push(command(`${OLD} ${ZERO} ${REF}`)), want: /never deleted/ },
      { why: 'two updates', bytes: push(command(list), pktLine(`${OLD} ${NEW} refs/heads/main`)), want: /exactly one/ },
      { why: 'the same update twice', bytes: push(command(list), pktLine(list)), want: /exactly one/ },
      { why: 'a shallow line', bytes: push(pktLine(`shallow ${OLD}\n`), command(list)), want: /shallow/ },
      { why: 'a push certificate', bytes: push(pktLine(`push-cert\0${CAPABILITIES}\n`)), want: /signed push/ },
      { why: 'push options', bytes: push(command(list, ' report-status push-options')), want: /push-options/ },
      { why: 'an unknown capability', bytes: push(command(list, ' report-status sudo')), want: /sudo/ },
      { why: 'an id that is too short', bytes: push(command(`${OLD.slice(1)} ${NEW} ${REF}`)), want: /cannot be read/ },
      { why: 'ids of two object formats', bytes: push(command(`${'a'.repeat(64)} ${NEW} ${REF}`)), want: /two object formats/ },
      { why: 'a fourth word', bytes: push(command(`${list} more`)), want: /cannot be read/ },
      {
        why: 'another commit than merge made',
        bytes: push(command(list)),
        want: /merge step made/,
        given: { ...expected, commit: OLD },
      },
      {
        why: 'another old value than merge saw',
        bytes: push(command(list)),
        want: /has moved/,
        given: { ...expected, head: 'c'.repeat(40) },
      },
      { why: 'a delimiter in front', bytes: Buffer.from('0001'), want: /does not begin/ },
    ];
  it.each(cases)('$why', ({ bytes, want, given }) => {
    const judged = judgePush(bytes, given ?? expected);
    expect(judged).toMatchObject({ type: 'refused' });
    expect(judged.type === 'refused' && judged.message).toMatch(want);
  });

  it('never ends its command list', () => {
    const long = Buffer.concat([pktLine(`${OLD} ${NEW} ${REF}\0${' quiet'.repeat(5_000)}`)]);
    expect(judgePush(long.subarray(0, MAX_COMMAND_BYTES + 1), expected)).toMatchObject({ type: 'refused' });
  });
});

describe('a push of which only a part has come', () => {
  const whole = push(command(`${OLD} ${NEW} ${REF}`));
  const end = whole.length - 'PACK…'.length - 2;
  it('asks for more at every cut before the flush', () => {
    for (let cut = 0; cut < end; cut += 1) expect(judgePush(whole.subarray(0, cut), expected)).toEqual({ type: 'incomplete' });
    expect(judgePush(whole.subarray(0, end), expected)).toMatchObject({ type: 'update' });
  });

  it('is malformed with a length that is none', () => {
    expect(() => judgePush(Buffer.from('zzzz'), expected)).toThrow(MalformedPktLine);
    expect(() => judgePush(Buffer.from('0003'), expected)).toThrow(MalformedPktLine);
    expect(() => judgePush(Buffer.from('ffff'), expected)).toThrow(MalformedPktLine);
  });
});
