// The nft program: replaces our table, or looks whether it is there. Needs CAP_NET_ADMIN in the network namespace.
import { spawn } from 'node:child_process';

interface Ended {
  readonly status: number | null;
  readonly stderr: string;
}

const nft = (args: readonly string[], input: string): Promise<Ended> =>
  new Promise((resolve, reject) => {
    const child = spawn('nft', args, { stdio: ['pipe', 'ignore', 'pipe'] });
    const stderr: string[] = [];
    child.stderr.setEncoding('utf8').on('data', (text: string) => stderr.push(text));
    child.on('error', (cause) => reject(new Error('nft could not be started; next: apt-get install nftables', { cause })));
    child.on('close', (status) => resolve({ status, stderr: stderr.join('') }));
    // A broken pipe shows as nft's own failure.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });

/** All of it or nothing. Rejects with nft's message. */
export const applyRules = async (text: string): Promise<void> => {
  const { status, stderr } = await nft(['-f', '-'], text);
  if (status !== 0) throw new Error(`nft refused the rules: ${stderr.trim()}`);
};

export const tableExists = async (table: string): Promise<boolean> =>
  (await nft(['list', 'table', 'inet', table], '')).status === 0;
