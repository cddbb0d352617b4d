// A whole cluster in one process: API server, Job controller, kubelet, gateway, garbage collector, JetStream, people, and operators, of which
// one leads. Everything that can happen is a move; an order picks the next one. In the orderly order the run is always the same and makes a
// golden log; in a shuffled one caches are stale, requests overlap, the operator may die after any write, and whatever else is among the
// faults of the run goes wrong.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { controllers as shipped } from '../../controllers/registry.ts';
import type { KubeObject } from '../../kube/object.ts';
import { keyOf } from '../../kube/object.ts';
import type { PassRecord } from '../../operator/reconcile/reconcile.ts';
import { frozen } from '../../runtime/config.ts';
import { NOW, platform as defaultPlatform } from '../builders/objects.ts';
import { ApiServer, type Write } from './api-server.ts';
import { Faults, type FaultPlan } from './faults.ts';
import { Gateway } from './gateway.ts';
import { Broken } from './broken.ts';
import { Invariants } from './invariants.ts';
import { Kubelet } from './kubelet.ts';
import { Store } from './link.ts';
import { Pool, type TurnPlot } from './pool.ts';
import { OperatorProcess } from './operator-process.ts';
import { Publications } from './publications.ts';
import { Random } from './random.ts';
import { Repository } from './repository.ts';
import type { Deed, Move, Scenario } from './scenario.ts';

export interface Disorder {
  readonly seed: number;
  /** The operator dies right after its n-th write, n from 1. */
  readonly crashAfterWrite?: number;
  readonly faults?: FaultPlan;
}

const ALL_ANSWERED: TurnPlot = () => ({ ending: 'answered', chance: () => 0.5 });
const MAX_MOVES = 60_000;
/** A move of the kubelet. */
const WORK_MS = 500;
/** No Story of a simulation takes longer, whatever goes wrong: what is not over by then never will be. */
const MAX_MS = 24 * 3_600_000;

/** So long after the last write whatever was written has been published, or never will be: JetStream is away for half of it at most. */
const LAST_WORDS_MS = 1_800_000;

/** Requests that are no part of what a pass writes: they are counted apart, and no crash follows them on purpose. */
const BESIDE: readonly string[] = ['publish', 'purge', 'create Event', 'patch Event'];

/** A date by a clock that is off, by ours. */
const past = (dateMs: number | undefined, skewMs: number): number | undefined =>
  dateMs === undefined ? undefined : dateMs - skewMs;

export class Simulation {
  nowMs = NOW;
  readonly repository = new Repository();
  readonly server: ApiServer;
  readonly invariants: Invariants;
  readonly publications = new Publications();
  readonly store: Store;
  readonly faults: Faults | undefined;
  /** Passes that wrote, and what others did, in order. */
  readonly happenings: { readonly atMs: number; readonly what: PassRecord | string }[] = [];
  /** Requests of the operator that changed something. */
  writes = 0;
  readonly #controllers: typeof shipped;
  readonly #scenario: Scenario;
  readonly #disorder: Disorder | undefined;
  readonly #random: Random | undefined;
  readonly #kubelet: Kubelet;
  readonly #gateway: Gateway;
  readonly #pool: Pool;
  readonly #deeds: Set<Deed>;
  /** The last one leads; those before it are dying, or do not know yet that they lead no more. */
  #processes: OperatorProcess[] = [];
  /** Whether another process than the leader has written since the leader began. */
  #isAlone = true;
  #lastWriteMs = NOW;
  #known: { readonly version: number; readonly moves: readonly Move[] } | undefined;
  #broken: unknown;

  /** `controllers` are those of the operator; a test may lay something around them. */
  constructor(scenario: Scenario, disorder?: Disorder, controllers = shipped) {
    this.#controllers = controllers;
    this.#scenario = scenario;
    this.#disorder = disorder;
    this.#random = disorder === undefined ? undefined : new Random(disorder.seed);
    this.#deeds = new Set(scenario.deeds);
    this.server = new ApiServer({ nowMs: () => this.nowMs + this.#skewMs('server'), onWrite: (write) => this.#onWrite(write) });
    this.invariants = new Invariants({
      ...{ server: this.server, repository: this.repository, platform: scenario.platform ?? defaultPlatform() },
      toldUpTo: (uid) => this.publications.toldUpTo(uid),
      nowMs: () => this.nowMs + this.leader.skewMs,
      aloneSince: () => (this.#isAlone && this.#processes.length === 1 ? this.leader.bornAt : undefined),
    });
    this.store = new Store({
      onePerSubject: (subject) => subject.startsWith('fleet.'),
      check: (publication) => this.publications.taken(publication),
    });
    this.faults = disorder?.faults === undefined ? undefined : new Faults(disorder.faults, this);
    this.#gateway = new Gateway({
      ...{ store: this.store, repository: this.repository, nowMs: () => this.nowMs },
      failure: () => this.faults?.answerFailure(),
    });
    this.#pool = new Pool({
      ...{ store: this.store, server: this.server, nowMs: () => this.nowMs },
      plot: scenario.turns ?? ALL_ANSWERED,
    });
    const nodeMs = (): number => this.nowMs + this.#skewMs('node');
    this.#kubelet = new Kubelet({
      ...{ server: this.server, repository: this.repository, plot: scenario.plot, nowMs: nodeMs },
      serve: (jobUid, receipt) => this.#gateway.serve(jobUid, receipt),
    });
    const namespaces = new Set(['swe-fleet', ...scenario.objects.flatMap(({ metadata }) => metadata.namespace ?? [])]);
    for (const name of namespaces) this.server.create('chart', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    this.server.create('chart', {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'swe-fleet-gateway', namespace: 'swe-fleet' },
      spec: { clusterIP: '10.0.0.9' },
    } as KubeObject);
    for (const object of scenario.objects) this.server.create('person', object);
    this.begin();
  }

  get leader(): OperatorProcess {
    const last = this.#processes.at(-1);
    if (last === undefined) throw new Error('no operator began yet');
    return last;
  }

  get processes(): readonly OperatorProcess[] {
    return this.#processes;
  }

  /** Runs until the scenario is over and nothing can happen any more. Throws what broke; a run that does not end is broken. */
  async run(): Promise<void> {
    for (let moves = 0; moves < MAX_MOVES; moves += 1) {
      // what comes due goes into its queue, what is struck or healed wakes somebody: both begin in the turn after
      for (const process of this.#processes) process.tick();
      this.#guarded(() => this.faults?.strike());
      await nextTurn();
      if (this.#broken !== undefined) throw this.#broken as Error;
      const move = this.#pick();
      if (move !== undefined) this.#guarded(move.make);
      else if (this.#isOver()) return;
      else this.#wait();
    }
    throw new Broken(`G1: not over after ${MAX_MOVES} moves\n${this.#describe()}`);
  }

  /** After the run: a new operator looks at everything; returns how many writes that made. */
  async restart(): Promise<number> {
    const before = this.writes;
    const { skewMs } = this.leader;
    this.faults?.end();
    this.#processes = [];
    this.begin(skewMs);
    await this.run();
    return this.writes - before;
  }

  tell(what: string): void {
    this.happenings.push({ atMs: this.nowMs, what });
  }

  /** Another operator leads from now on. The one before it goes on for as long as somebody lets it. */
  begin(skewMs = this.#skewMs('operator')): void {
    const { server } = this;
    const process = new OperatorProcess({
      ...{ server, controllers: this.#controllers, store: this.store },
      platform: frozen(this.#scenario.platform ?? defaultPlatform()),
      ...{ nowMs: () => this.nowMs + skewMs, skewMs },
      random: () => this.#random?.next() ?? 0.999,
      perform: (by, label, call) => this.#perform(by, label, call),
      onBug: (error) => (this.#broken ??= error),
      onMalformed: (error) => {
        if (this.faults?.mayBeMalformed !== true) this.#broken ??= error;
      },
      onPass: (record) => {
        this.happenings.push({ atMs: this.nowMs, what: record });
        if (record.problem?.sort === 'bug') this.#broken ??= record.problem.error;
      },
    });
    this.#isAlone = true;
    this.#processes.push(process);
  }

  /** The leader is gone at once, and another takes over. */
  crash(): void {
    this.tell(`the operator dies after write ${this.writes}`);
    this.leader.die(() => this.#random?.chance(0.5) === true);
    this.begin();
  }

  #skewMs(of: 'server' | 'node' | 'operator'): number {
    return this.faults?.skewMs(of) ?? 0;
  }

  #guarded(make: () => void): void {
    try {
      make();
    } catch (error) {
      this.#broken ??= error;
    }
  }

  #onWrite(write: Write): void {
    this.invariants.onWrite(write);
    if (write.after === undefined && write.before !== undefined) this.publications.forget(write.before.metadata.uid);
    if (write.after?.status !== undefined && write.after.status !== write.before?.status) this.publications.written(write.after);
  }

  #isOver(): boolean {
    const isQuiet = this.leader.isLeading && this.#deeds.size === 0 && this.faults?.isHealed !== false;
    const hasLastWords = this.publications.areBehind || this.leader.isFailing;
    const isSilent = !hasLastWords || this.nowMs > this.#lastWriteMs + LAST_WORDS_MS;
    return isQuiet && this.#scenario.isOver(this.server) && isSilent;
  }

  #moves(): readonly Move[] {
    return [
      ...this.#processes.flatMap((process) => this.#movesOf(process)),
      ...this.server.orphans().map((orphan) => ({ what: 'collect', make: () => this.server.collect(orphan) })),
      ...this.#gateway.moves(),
      ...this.#pool.moves(),
      ...this.#movesOfPeople(),
      ...this.#kubelet.moves().map((move) => ({ what: 'kubelet', make: () => this.#work(move) })),
    ];
  }

  #movesOf(process: OperatorProcess): readonly Move[] {
    const { link } = process;
    return [
      ...(link.isBehind ? [{ what: 'deliver messages', make: () => link.deliver() }] : []),
      ...process.behind().map((kind) => ({ what: `deliver ${kind}`, make: () => process.deliver(kind) })),
      ...process.parked.map((parked) => ({ what: parked.what, make: () => this.#resume(process, () => process.resume(parked)) })),
      ...process.held.map((held) => ({ what: held.what, make: () => process.release(held) })),
    ];
  }

  /** Looked up anew only when something was written. */
  #movesOfPeople(): readonly Move[] {
    const { server, repository } = this;
    if (this.#known?.version === server.version) return this.#known.moves;
    const deeds = [...this.#deeds].filter((deed) => deed.when(server));
    const moves = [
      ...deeds.map((deed) => ({ what: deed.what, make: () => this.#do(deed) })),
      ...(this.#scenario.habits ?? []).flatMap((habit) => habit(server, repository)).map((move) => this.#told(move)),
    ];
    this.#known = { version: server.version, moves };
    return moves;
  }

  #told({ what, make }: Move): Move {
    return {
      what,
      make: () => {
        this.tell(what);
        this.#known = undefined;
        make();
      },
    };
  }

  /** Only work takes time. */
  #work(move: () => string): void {
    this.nowMs += WORK_MS;
    this.tell(move());
  }

  #pick(): Move | undefined {
    const moves = this.#moves();
    if (moves.length === 0) return undefined;
    return this.#random === undefined ? moves[0] : this.#random.pick(moves);
  }

  #wait(): void {
    const dates = [
      ...this.#processes.map((process) => process.nextDateMs()),
      past(this.#kubelet.nextDateMs(), this.#skewMs('node')),
      this.#pool.nextDateMs(),
      this.faults?.nextDateMs(),
    ].filter((date) => date !== undefined);
    if (dates.length === 0) throw new Broken(`G1: nothing can happen any more, and it is not over\n${this.#describe()}`);
    const nextMs = Math.min(...dates.map((date) => date));
    this.nowMs = Math.max(this.nowMs + 1, nextMs);
    if (this.nowMs - NOW > MAX_MS) throw new Broken(`G1: not over after ${MAX_MS / 3_600_000} hours\n${this.#describe()}`);
  }

  #describe(): string {
    return ['Story', 'Plan', 'Task', 'Council', 'Deliberation']
      .flatMap((kind) => this.server.list(kind))
      .map(
        ({ kind, metadata, status }) =>
          `${kind} ${keyOf(metadata)}: ${String(status?.['phase'])} · ${String(status?.['waitingFor'] ?? status?.['message'])}`,
      )
      .join('\n');
  }

  /** Makes a request and counts it as a write if it changed something; the operator may die before it hears of it. */
  #perform<T>(process: OperatorProcess, label: string, call: () => T): T {
    const failure = this.faults?.ofRequest(label);
    if (failure?.when === 'before') throw failure.error;
    const before = this.server.version + this.store.version;
    let result: T;
    try {
      result = call();
    } catch (error) {
      if (error instanceof Broken) this.#broken ??= error;
      throw error;
    }
    const hasWritten = this.server.version + this.store.version !== before;
    if (hasWritten && process !== this.leader) this.#isAlone = false;
    const isWrite = hasWritten && !BESIDE.includes(label);
    if (isWrite) this.#lastWriteMs = this.nowMs;
    if (isWrite) this.writes += 1;
    if (isWrite && this.writes === this.#disorder?.crashAfterWrite) this.crash();
    if (failure !== undefined) throw failure.error;
    return result;
  }

  #resume(process: OperatorProcess, resume: () => void): void {
    resume();
    if (process.isDead && process.parked.length === 0) this.bury(process);
  }

  /** A process that is dead, and of which nothing is under way any more. */
  bury(process: OperatorProcess): void {
    this.#processes = this.#processes.filter((each) => each !== process);
  }

  #do(deed: Deed): void {
    this.#deeds.delete(deed);
    this.#known = undefined;
    this.tell(deed.what);
    deed.then(this.server);
  }
}
