// When something first came, by name: whoever asks before gets it when it comes.

export class Arrivals {
  readonly #at = new Map<string, number>();
  readonly #waiting = new Map<string, (atMs: number) => void>();

  /** Only the first time counts. */
  note(name: string, atMs: number): void {
    if (this.#at.has(name)) return;
    this.#at.set(name, atMs);
    this.#waiting.get(name)?.(atMs);
    this.#waiting.delete(name);
  }

  get(name: string): number | undefined {
    return this.#at.get(name);
  }

  /** One asker for each name. */
  async when(name: string): Promise<number> {
    return this.#at.get(name) ?? new Promise((resolve) => this.#waiting.set(name, resolve));
  }
}
