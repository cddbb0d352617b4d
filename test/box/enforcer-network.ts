// A node and its pods as network namespaces, linked as the ptp CNI plugin links them: a veth pair each, a /32 route on the node, everything routed.
// Needs root; everything is in namespaces that vanish with the processes that hold them.
import { execFile, fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { PeerAnswer, PeerRequest, Protocol } from './enforcer-peer.ts';

const execute = promisify(execFile);
const gateway = '10.244.0.1';
const podRange = '10.244.0.0/24';

export interface Target {
  readonly host: string;
  readonly port: number;
  readonly protocol?: Protocol;
}

type Unnumbered = PeerRequest extends infer Request ? (Request extends PeerRequest ? Omit<Request, 'id'> : never) : never;

/** A namespace with a process in it. */
export class Peer {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (answer: PeerAnswer) => void>();
  #next = 0;

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.on('message', (answer: PeerAnswer) => this.#waiting.get(answer.id)?.(answer));
  }

  static async start(): Promise<Peer> {
    // The process is node itself: `unshare` becomes it, so its pid names the namespace.
    const child = fork(join(import.meta.dirname, 'enforcer-peer.ts'), {
      execPath: 'unshare',
      execArgv: ['--net', process.execPath],
      stdio: 'inherit',
    });
    const peer = new Peer(child);
    // Only its first message says that the namespace is its own by now.
    await once(child, 'message');
    await peer.run('ip', 'link', 'set', 'lo', 'up');
    return peer;
  }

  get pid(): string {
    return String(this.#child.pid);
  }

  /** Runs a program in the namespace; resolves with its output. */
  async run(...argv: readonly [string, ...string[]]): Promise<string> {
    return (await execute('nsenter', ['--target', this.pid, '--net', '--', ...argv])).stdout;
  }

  ask(request: Unnumbered): Promise<PeerAnswer['result']> {
    return this.begin(request).answered;
  }

  /** `cancel` resolves when the attempt sends nothing any more. */
  begin(request: Unnumbered): { readonly answered: Promise<PeerAnswer['result']>; readonly cancel: () => Promise<unknown> } {
    const id = this.#next++;
    const answered = new Promise<PeerAnswer['result']>((resolve) => {
      this.#waiting.set(id, ({ result }) => resolve(result));
      this.#child.send({ ...request, id });
    });
    return { answered, cancel: () => this.ask({ do: 'cancel', of: id }) };
  }

  async listen(...ports: readonly (readonly [Protocol, number])[]): Promise<void> {
    await Promise.all(ports.map(([protocol, port]) => this.ask({ do: 'listen', protocol, port })));
  }

  async input(program: string, args: readonly string[], text: string): Promise<void> {
    const running = execute('nsenter', ['--target', this.pid, '--net', '--', program, ...args]);
    running.child.stdin?.end(text);
    await running;
  }

  end(): void {
    this.#child.disconnect();
  }
}

export class Network {
  readonly node: Peer;
  readonly table: string;
  readonly #pods: Peer[] = [];

  private constructor(node: Peer, table: string) {
    this.node = node;
    this.table = table;
  }

  /** `nodeIp` is an address of the node beside its pods' gateway, on a link of its own. */
  static async start(table: string, nodeIp: string): Promise<Network> {
    const node = await Peer.start();
    await node.run('sysctl', '-qw', 'net.ipv4.ip_forward=1');
    await node.run('ip', 'link', 'add', 'uplink', 'type', 'bridge');
    await node.run('ip', 'addr', 'add', `${nodeIp}/24`, 'dev', 'uplink');
    await node.run('ip', 'link', 'set', 'uplink', 'up');
    return new Network(node, table);
  }

  async pod(ip: string): Promise<Peer> {
    const pod = await Peer.start();
    const link = `veth${ip.replaceAll('.', '').slice(-9)}`;
    await this.node.run('ip', 'link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', pod.pid);
    await this.node.run('ip', 'addr', 'add', `${gateway}/32`, 'dev', link);
    await this.node.run('ip', 'link', 'set', link, 'up');
    await pod.run('ip', 'link', 'set', 'eth0', 'up');
    await pod.run('ip', 'addr', 'add', `${ip}/32`, 'dev', 'eth0');
    await pod.run('ip', 'route', 'add', `${gateway}/32`, 'dev', 'eth0');
    await pod.run('ip', 'route', 'add', podRange, 'via', gateway, 'src', ip);
    await pod.run('ip', 'route', 'add', 'default', 'via', gateway);
    await this.node.run('ip', 'route', 'add', `${ip}/32`, 'dev', link);
    this.#pods.push(pod);
    return pod;
  }

  /** Replaces the rules, as the enforcer does. */
  async enforce(text: string): Promise<void> {
    await this.node.input('nft', ['-f', '-'], text);
  }

  /**
   * What becomes of a first packet: it is answered, or a rule drops it. Both are events, so no time limit decides. An attempt is cancelled before the next
   * begins: a packet sent again would count as the next one's. `by` says which rules count as dropping it; links speak IPv6 by themselves now and then,
   * so its rule does not count unless it is asked for.
   */
  async probe(
    from: Peer,
    { host, port, protocol = 'TCP' }: Target,
    by = /^(?!.*nfproto ipv6)/,
  ): Promise<'open' | 'closed' | 'dropped'> {
    const before = await this.#drops(by);
    const ended = new AbortController();
    const attempt = from.begin({ do: 'connect', protocol, host, port });
    const answered = attempt.answered.then((result) => (result === 'connected' ? 'open' : 'closed'));
    try {
      return await Promise.race([answered, this.#dropsBeyond(before, by, ended.signal)]);
    } finally {
      ended.abort();
      await attempt.cancel();
    }
  }

  async #dropsBeyond(count: number, by: RegExp, signal: AbortSignal): Promise<'dropped'> {
    while (!signal.aborted && (await this.#drops(by)) <= count) await sleep(20);
    return 'dropped';
  }

  /** Packets that such rules of the table dropped so far. */
  async #drops(by: RegExp): Promise<number> {
    const rules = (await this.node.run('nft', 'list', 'table', 'inet', this.table)).split('\n').map((line) => line.trim());
    const packets = rules
      .filter((rule) => by.test(rule))
      .map((rule) => /counter packets (\d+) bytes \d+ drop/.exec(rule)?.[1] ?? '0');
    return packets.reduce((sum, count) => sum + Number(count), 0);
  }

  end(): void {
    for (const peer of [this.node, ...this.#pods]) peer.end();
  }
}
