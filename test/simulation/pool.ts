// The agent pool of a simulation, and the gateway's part in a turn: each command that the store holds is answered as the plot says, at some time,
// in whatever order; or never, or when nobody waits for it any more.

import { sha256 } from '../../crds/canonical.ts';
import {
  turnCommand,
  turnPlaceOf,
  turnResultSubject,
  type TurnCommand,
  type TurnPlace,
  type TurnResult,
} from '../../crds/contracts/turns.ts';
import { agentAt, type Pinned } from '../../crds/deliberation/seats.ts';
import type { Deliberation } from '../../crds/kinds/deliberation.ts';
import { timestamp } from '../../crds/time.ts';
import type { ApiServer } from './api-server.ts';
import { check } from './broken.ts';
import type { Store } from './link.ts';
import type { Move } from './scenario.ts';

/** What comes of a turn: `late` is an answer that comes after its time. */
export type TurnEnding = 'answered' | 'failed' | 'invalid' | 'silent' | 'late';
/** `chance` in [0, 1) is a function of these words, the same in each run. */
export type TurnPlot = (
  deliberation: string,
  n: number,
) => { readonly ending: TurnEnding; readonly chance: (...words: readonly (string | number)[]) => number };

interface PoolPorts {
  readonly store: Store;
  readonly server: ApiServer;
  readonly plot: TurnPlot;
  readonly nowMs: () => number;
}

const COMMANDS = 'fleet.turn.cmd.';
const FULL = 1000;
/** An answer that is late comes so long after its time. */
const LATE_MS = 30_000;

export class Pool {
  readonly #ports: PoolPorts;
  #open: { readonly version: number; readonly commands: readonly TurnCommand[] } | undefined;
  /** Silent ones that were taken: nobody looks at them again. */
  readonly #dropped = new Set<string>();

  constructor(ports: PoolPorts) {
    this.#ports = ports;
  }

  moves(): readonly Move[] {
    if (!this.#ports.store.isUp) return [];
    return this.#unanswered()
      .filter((command) => this.#isDue(command))
      .map((command) => ({ what: 'turn', make: () => this.#take(command) }));
  }

  /** When an answer comes that is late. */
  nextDateMs(): number | undefined {
    const dates = this.#unanswered()
      .filter((command) => this.#endingOf(command) === 'late')
      .map(({ deadlineMs }) => deadlineMs + LATE_MS)
      .filter((date) => date > this.#ports.nowMs());
    return dates.length === 0 ? undefined : Math.min(...dates);
  }

  #isDue(command: TurnCommand): boolean {
    return this.#endingOf(command) !== 'late' || this.#ports.nowMs() >= command.deadlineMs + LATE_MS;
  }

  #endingOf({ deliberationUid, n }: TurnCommand): TurnEnding {
    return this.#ports.plot(this.#nameOf(deliberationUid), n).ending;
  }

  /** A name lasts from run to run, a uid does not. */
  #nameOf(uid: string): string {
    return this.#ports.server.lastOf(uid)?.metadata.name ?? uid;
  }

  /** Looked up anew only when the store took or lost something. */
  #unanswered(): readonly TurnCommand[] {
    const { store } = this.#ports;
    if (this.#open?.version === store.version) return this.#open.commands;
    const commands = store
      .last(COMMANDS)
      .map(([, { data }]) => turnCommand.parse(JSON.parse(Buffer.from(data).toString())))
      .filter(
        ({ id, rootUid }) =>
          !this.#dropped.has(`${store.lives} ${id}`) && store.get(turnResultSubject(rootUid, id)) === undefined,
      );
    this.#open = { version: store.version, commands };
    return commands;
  }

  #take(command: TurnCommand): void {
    const { store, server, nowMs } = this.#ports;
    this.#open = undefined;
    const found = server.byUid(command.deliberationUid) as unknown as Deliberation | undefined;
    const place = turnPlaceOf(command.n);
    const pinned = found?.status?.pinned;
    // the gateway gives no brief for it: nobody waits for it, or its pins were wiped
    const isUnserved = pinned === undefined || place === undefined || found?.status?.finishedAt !== undefined;
    if (isUnserved || this.#endingOf(command) === 'silent') {
      this.#dropped.add(`${store.lives} ${command.id}`);
      return;
    }
    check(
      pinned.seats[place.seat]?.endpoint === command.endpoint,
      'G3',
      () => `turn ${command.id} went to endpoint ${command.endpoint}`,
    );
    const result = this.#resultOf(command, pinned, place, timestamp(nowMs()));
    store.take({ subject: turnResultSubject(command.rootUid, command.id), data: JSON.stringify(result) });
  }

  #resultOf(command: TurnCommand, pinned: Pinned, place: TurnPlace, at: string): TurnResult {
    const { ending, chance } = this.#ports.plot(this.#nameOf(command.deliberationUid), command.n);
    const common = {
      ...{ id: command.id, at, agent: agentAt(pinned, place.seat), model: 'qwen', prompts: '1' },
      ...{ tokens: 1 + Math.floor(chance('tokens') * FULL), durationMs: Math.floor(chance('ms') * 60_000) },
    };
    if (ending === 'failed') return { ...common, ok: false, reason: 'AnswerInvalid', message: 'no JSON' };
    // an agent writes something else each time that it is asked about something else
    const digest = sha256([command.id, ...command.inputs.map((input) => input.digest)].join('\n'));
    const labels = ending === 'invalid' ? ['Z'] : command.inputs.map(({ label }) => label);
    const points = (label: string): number[] => pinned.rubric.map((_, index) => Math.floor(chance(label, index) * (FULL + 1)));
    switch (place.kind) {
      case 'Score':
        return { ...common, ok: true, digest, scores: labels.map((label) => ({ label, points: points(label) })) };
      case 'Selection': {
        const label = labels[Math.floor(chance('choice') * labels.length)] ?? 'Z';
        return { ...common, ok: true, digest, choice: { label, rationale: 'it is the best', dissent: '' } };
      }
      default: {
        const policy = { passed: chance('policy') < 0.9, errors: 0, warnings: 0 };
        return { ...common, ok: true, digest, checks: { policy } };
      }
    }
  }
}
