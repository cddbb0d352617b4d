// A whole cluster in one process: API server, Job controller, kubelet, gateway, garbage collector, people, and one operator at a time.
// Everything that can happen is a move; an order picks the next one. In the orderly order the run is always the same and makes a
// golden log; in a shuffled one caches are stale, requests overlap, and the operator may die after any write.

import { timestamp } from '../../crds/time.ts';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { controllers as shipped } from '../../controllers/registry.ts';
import { answerSubject, commandSubject, type CommandAnswer, type GatewayCommand } from '../../crds/contracts/commands.ts';
import type { PlatformConfig } from '../../crds/contracts/platform.ts';
import type { KubeObject } from '../../kube/object.ts';
import { keyOf } from '../../kube/object.ts';
import { receiptSubject } from '../../operator/state/feeds.ts';
import type { PassRecord } from '../../operator/reconcile/reconcile.ts';
import { NOW, platform as defaultPlatform } from '../builders/objects.ts';
import { ApiServer, type SimObject } from './api-server.ts';
import { Broken, checkWrite, makePublicationCheck } from './invariants.ts';
import { Kubelet, type Plot } from './kubelet.ts';
import { Store } from './link.ts';
import { OperatorProcess } from './operator-process.ts';
import { Random } from './random.ts';
import { Repository } from './repository.ts';

/** Somebody's deed, done once, as soon as `when` holds. */
export interface Deed {
  readonly what: string;
  readonly when: (server: ApiServer) => boolean;
  readonly then: (server: ApiServer) => void;
}

export interface Scenario {
  readonly objects: readonly KubeObject[];
  readonly plot: Plot;
  readonly deeds: readonly Deed[];
  readonly platform?: PlatformConfig;
  readonly isOver: (server: ApiServer) => boolean;
}

export interface Disorder {
  readonly seed: number;
  /** The operator dies right after its n-th write, n from 1. */
  readonly crashAfterWrite?: number;
}

interface Parked {
  readonly label: string;
  readonly go: () => void;
}

interface Move {
  readonly what: string;
  readonly make: () => void;
}

const MAX_MOVES = 60_000;
/** A move of the kubelet. */
const WORK_MS = 500;

/** Requests that are no part of what a pass writes: they are counted apart, and no crash follows them on purpose. */
const BESIDE: readonly string[] = ['publish', 'create Event', 'patch Event'];
const COMMANDS = commandSubject('');

export class Simulation {
  nowMs = NOW;
  readonly repository = new Repository();
  readonly server = new ApiServer(() => this.nowMs, checkWrite(this.repository));
  /** Passes that wrote, and what others did, in order. */
  readonly happenings: { readonly atMs: number; readonly what: PassRecord | string }[] = [];
  /** Requests of the operator that changed something. */
  writes = 0;
  readonly #controllers: typeof shipped;
  readonly #scenario: Scenario;
  readonly #disorder: Disorder | undefined;
  readonly #random: Random | undefined;
  readonly #kubelet: Kubelet;
  readonly #deeds: Set<Deed>;
  readonly #store = new Store({
    onePerSubject: (subject) => subject.startsWith('fleet.'),
    check: makePublicationCheck(),
  });
  #commands: { readonly version: number; readonly open: readonly GatewayCommand[] } = { version: -1, open: [] };
  #operator: OperatorProcess;
  #life = 0;
  /** Requests that are under way. */
  #parked: Parked[] = [];
  /** Keys that could be worked on now. */
  #held: Parked[] = [];
  #broken: unknown;

  /** `controllers` are those of the operator; a test may lay something around them. */
  constructor(scenario: Scenario, disorder?: Disorder, controllers = shipped) {
    this.#controllers = controllers;
    this.#scenario = scenario;
    this.#disorder = disorder;
    this.#random = disorder === undefined ? undefined : new Random(disorder.seed);
    this.#deeds = new Set(scenario.deeds);
    this.#kubelet = new Kubelet({
      server: this.server,
      repository: this.repository,
      plot: scenario.plot,
      nowMs: () => this.nowMs,
      onServed: (jobUid, receipt) => this.#tellStore(receiptSubject(jobUid), receipt),
    });
    this.server.create('chart', {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'swe-fleet-gateway', namespace: 'swe-fleet' },
      spec: { clusterIP: '10.0.0.9' },
    } as KubeObject);
    for (const object of scenario.objects) this.server.create('person', object);
    this.#operator = this.#begin();
  }

  /** Runs until the scenario is over and nothing can happen any more. Throws what broke; a run that does not end is broken. */
  async run(): Promise<void> {
    for (let moves = 0; moves < MAX_MOVES; moves += 1) {
      // what comes due goes into its queue, and begins in the turn after
      this.#operator.tick();
      await nextTurn();
      if (this.#broken !== undefined) throw this.#broken as Error;
      if (!this.#operator.isLeading) continue;
      const move = this.#pick();
      if (move !== undefined) this.#make(move);
      else if (this.#scenario.isOver(this.server) && this.#deeds.size === 0) return;
      else this.#wait();
    }
    throw new Broken(`G1: not over after ${MAX_MOVES} moves`);
  }

  /** After the run: a new operator looks at everything; returns how many writes that made. */
  async restart(): Promise<number> {
    const before = this.writes;
    this.#operator = this.#begin();
    await this.run();
    return this.writes - before;
  }

  #make(move: Move): void {
    try {
      move.make();
    } catch (error) {
      this.#broken ??= error;
    }
  }

  #moves(): readonly Move[] {
    const operator = this.#operator;
    const deeds = [...this.#deeds].filter((deed) => deed.when(this.server));
    return [
      ...operator.behind().map((kind) => ({ what: `deliver ${kind}`, make: () => operator.deliver(kind) })),
      ...this.#parked.map((parked) => ({ what: parked.label, make: () => this.#resume(parked) })),
      ...this.#held.map((held) => ({ what: held.label, make: () => this.#release(held) })),
      ...this.server.orphans().map((orphan) => ({ what: 'collect', make: () => this.#collect(orphan) })),
      ...this.#unanswered().map((command) => ({ what: 'answer', make: () => this.#answer(command) })),
      ...deeds.map((deed) => ({ what: deed.what, make: () => this.#do(deed) })),
      ...this.#kubelet.moves().map((move) => ({ what: 'kubelet', make: () => this.#work(move) })),
    ];
  }

  /** Only work takes time. */
  #work(move: () => string): void {
    this.nowMs += WORK_MS;
    this.#tell(move());
  }

  #tell(what: string): void {
    this.happenings.push({ atMs: this.nowMs, what });
  }

  #pick(): Move | undefined {
    const moves = this.#moves();
    if (moves.length === 0) return undefined;
    return this.#random === undefined ? moves[0] : this.#random.pick(moves);
  }

  #wait(): void {
    const dates = [this.#operator.nextDateMs(), this.#kubelet.nextDateMs()].filter((date) => date !== undefined);
    if (dates.length === 0) throw new Broken(`G1: nothing can happen any more, and it is not over\n${this.#describe()}`);
    this.nowMs = Math.max(this.nowMs + 1, Math.min(...dates));
  }

  #describe(): string {
    return ['Story', 'Plan', 'Task', 'Council']
      .flatMap((kind) => this.server.list(kind))
      .map(
        ({ kind, metadata, status }) =>
          `${kind} ${metadata.name}: ${String(status?.['phase'])} · ${String(status?.['waitingFor'] ?? status?.['message'])}`,
      )
      .join('\n');
  }

  /** A process that begins has read each kind up to a version of its own, in an orderly run up to the present. */
  #begin(): OperatorProcess {
    const life = ++this.#life;
    const { server } = this;
    this.#parked = [];
    this.#held = [];
    const onBug = (error: unknown): void => {
      if (life === this.#life) this.#broken ??= error;
    };
    return new OperatorProcess({
      ...{
        server,
        controllers: this.#controllers,
        store: this.#store,
        platform: this.#scenario.platform ?? defaultPlatform(),
        onBug,
      },
      nowMs: () => this.nowMs,
      random: () => this.#random?.next() ?? 0.999,
      request: (label, call) => this.#request(life, label, call),
      hold: (key) => new Promise((go) => this.#held.push({ label: `pass ${key}`, go })),
      listedAt: () => (this.#random === undefined ? server.version : server.version - this.#random.below(12)),
      onPass: (record) => {
        if (life === this.#life) this.happenings.push({ atMs: this.nowMs, what: record });
        if (record.problem?.sort === 'bug') onBug(record.problem.error);
      },
    });
  }

  #request<T>(life: number, label: string, call: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const go = (): void => {
        if (life !== this.#life) return;
        try {
          const result = this.#perform(label, call);
          if (life === this.#life) resolve(result);
        } catch (error) {
          if (error instanceof Broken) this.#broken ??= error;
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      };
      this.#parked.push({ label, go });
    });
  }

  /** Makes a request and counts it as a write if it changed something; the operator may die before it hears of it. */
  #perform<T>(label: string, call: () => T): T {
    const before = this.server.version + this.#store.version;
    const result = call();
    const isWrite = !BESIDE.includes(label) && this.server.version + this.#store.version !== before;
    if (isWrite) this.writes += 1;
    if (isWrite && this.writes === this.#disorder?.crashAfterWrite && this.#life === 1) this.#crash();
    return result;
  }

  #release(held: Parked): void {
    this.#held = this.#held.filter((each) => each !== held);
    held.go();
  }

  #resume(parked: Parked): void {
    this.#parked = this.#parked.filter((each) => each !== parked);
    parked.go();
  }

  #crash(): void {
    this.#tell(`the operator dies after write ${this.writes}`);
    this.#operator = this.#begin();
  }

  #collect({ kind, metadata }: SimObject): void {
    this.server.delete('garbage-collector', kind, keyOf(metadata), metadata.uid);
  }

  /** Commands without an answer; looked up anew only when the store took something. */
  #unanswered(): readonly GatewayCommand[] {
    if (this.#commands.version === this.#store.version) return this.#commands.open;
    const open = this.#store
      .last(COMMANDS)
      .filter(([subject]) => this.#store.get(answerSubject(subject.slice(COMMANDS.length))) === undefined)
      .map(([, { data }]) => JSON.parse(Buffer.from(data).toString()) as GatewayCommand);
    this.#commands = { version: this.#store.version, open };
    return open;
  }

  #answer(command: GatewayCommand): void {
    const { id } = command;
    const at = timestamp(this.nowMs);
    const answer: CommandAnswer =
      command.kind === 'resolve'
        ? { id, kind: 'resolve', at, ok: true, commit: this.repository.base }
        : { id, kind: 'probe', at, ok: true, models: [command.model], toolCalls: true, structuredOutput: true };
    this.#tellStore(answerSubject(id), answer);
  }

  #tellStore(subject: string, message: object): void {
    this.#store.take({ subject, data: JSON.stringify(message) });
    this.#operator.stored(subject);
  }

  #do(deed: Deed): void {
    this.#deeds.delete(deed);
    this.#tell(deed.what);
    deed.then(this.server);
  }
}
