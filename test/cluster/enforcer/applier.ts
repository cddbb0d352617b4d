// Keeps the table equal to what the objects say: compiles when something changed, applies when the text differs, tries again when nft fails. One at a time.
import type { Compiled, Refusal } from './compile.ts';

export interface ApplierPorts {
  readonly compile: () => Compiled;
  readonly apply: (text: string) => Promise<void>;
  readonly log: (line: string) => void;
  readonly sleep: (ms: number) => Promise<void>;
}

export interface Health {
  /** The rules in the kernel are those of the latest change. */
  readonly current: boolean;
  readonly refused: readonly Refusal[];
  readonly error: string | undefined;
}

const retryMs = 500;

export class Applier {
  readonly #ports: ApplierPorts;
  #applied: string | undefined;
  #complaints = new Set<string>();
  #refused: readonly Refusal[] = [];
  #error: string | undefined;
  #wanted = false;
  #running: Promise<void> | undefined;

  constructor(ports: ApplierPorts) {
    this.#ports = ports;
  }

  get health(): Health {
    return {
      current: this.#applied !== undefined && !this.#wanted && this.#error === undefined,
      refused: this.#refused,
      error: this.#error,
    };
  }

  /** Something changed. Changes that come while one is applied are taken together after it. Resolves when nothing is left to apply. */
  changed(): Promise<void> {
    this.#wanted = true;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #run(): Promise<void> {
    // Gives the rest of a burst of events the time to arrive: they come in one turn of the event loop.
    await Promise.resolve();
    while (this.#wanted) {
      this.#wanted = false;
      try {
        await this.#once();
        this.#error = undefined;
      } catch (error) {
        this.#wanted = true;
        this.#error = error instanceof Error ? error.message : String(error);
        this.#ports.log(`not applied, the rules before stay in force: ${this.#error}`);
        await this.#ports.sleep(retryMs);
      }
    }
  }

  async #once(): Promise<void> {
    const { text, refused, disputed } = this.#ports.compile();
    this.#refused = refused;
    this.#complain([
      ...refused.map(({ policy, why }) => `refused: NetworkPolicy ${policy} allows nothing, because ${why}`),
      ...disputed.map((ip) => `shut: ${ip} is claimed by two running pods`),
    ]);
    if (text === this.#applied) return;
    await this.#ports.apply(text);
    this.#applied = text;
  }

  /** Each complaint once, as long as it stands. */
  #complain(complaints: readonly string[]): void {
    for (const line of complaints) if (!this.#complaints.has(line)) this.#ports.log(line);
    this.#complaints = new Set(complaints);
  }
}
