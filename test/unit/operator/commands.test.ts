import { describe, expect, it } from 'vitest';
import type { GatewayCommand } from '../../../crds/contracts/commands.ts';
import { makeCommands } from '../../../operator/reconcile/commands.ts';
import { StoreUnavailable } from '../../../runtime/bus/errors.ts';

const command = (id: string): GatewayCommand => ({ id, kind: 'resolve', namespace: 'ns', storyUid: 'u' });

const rigged = (answer: 'published' | 'refused' | 'down' = 'published') => {
  const sent: string[] = [];
  const time = { nowMs: 0 };
  const link = {
    publish: async ({ subject, data }: { readonly subject: string; readonly data: string }) => {
      sent.push(`${subject} ${data}`);
      if (answer === 'down') throw new StoreUnavailable('down');
      return answer;
    },
    purge: async (stream: string, subject: string) => {
      sent.push(`purge ${stream} ${subject}`);
    },
  };
  return { sent, time, commands: makeCommands(link, () => time.nowMs) };
};

describe('commands', () => {
  it('go to a subject of their own', async () => {
    const { sent, commands } = rigged();
    await commands.send(command('resolve-u-0'));
    expect(sent).toEqual(['fleet.gateway.cmd.resolve-u-0 {"id":"resolve-u-0","kind":"resolve","namespace":"ns","storyUid":"u"}']);
  });

  for (const answer of ['published', 'refused'] as const)
    it(`count as sent once the store ${answer} them`, async () => {
      const { commands } = rigged(answer);
      expect(commands.isSent(command('a'))).toBe(false);
      await commands.send(command('a'));
      expect([commands.isSent(command('a')), commands.isSent(command('b'))]).toEqual([true, false]);
    });

  it('do not count as sent when the store was down', async () => {
    const { commands } = rigged('down');
    await expect(commands.send(command('a'))).rejects.toThrow(StoreUnavailable);
    expect(commands.isSent(command('a'))).toBe(false);
  });

  it('are asked again when nobody answers, and what is left of them is thrown away first, as the store would refuse a second', async () => {
    const { commands, time, sent } = rigged();
    await commands.send(command('a'));
    time.nowMs = 179_999;
    expect(commands.isSent(command('a'))).toBe(true);
    time.nowMs = 180_000;
    expect(commands.isSent(command('a'))).toBe(false);
    sent.length = 0;
    await commands.send(command('a'));
    expect(sent).toEqual(['purge FLEET_COMMANDS fleet.gateway.cmd.a', expect.stringMatching(/^fleet.gateway.cmd.a /)]);
    expect(commands.isSent(command('a'))).toBe(true);
  });

  it('are asked again after the store was away, over whatever it kept', async () => {
    const { commands, sent } = rigged();
    await commands.send(command('a'));
    commands.forget();
    expect(commands.isSent(command('a'))).toBe(false);
    sent.length = 0;
    await commands.send(command('a'));
    expect(sent).toEqual([expect.stringMatching(/^fleet.gateway.cmd.a /)]);
  });

  it('are remembered in a bounded number, the newest', async () => {
    const { commands } = rigged();
    for (let n = 0; n <= 10_000; n += 1) await commands.send(command(`c-${n}`));
    expect([commands.isSent(command('c-0')), commands.isSent(command('c-1')), commands.isSent(command('c-10000'))]).toEqual([
      false,
      true,
      true,
    ]);
  });
});
