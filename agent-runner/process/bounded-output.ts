// Keeps the beginning and the end of a stream of bytes within a limit. Pure bookkeeping.

export class BoundedOutput {
  readonly #limit: number;
  readonly #head: Buffer[] = [];
  #headBytes = 0;
  #tail = Buffer.alloc(0);
  #dropped = 0;

  constructor(limitBytes: number) {
    this.#limit = Math.max(0, limitBytes);
  }

  add(chunk: Buffer): void {
    const headRoom = Math.floor(this.#limit / 2) - this.#headBytes;
    const toHead = chunk.subarray(0, Math.max(0, headRoom));
    if (toHead.length > 0) {
      this.#head.push(Buffer.from(toHead));
      this.#headBytes += toHead.length;
    }
    const rest = chunk.subarray(toHead.length);
    if (rest.length === 0) return;
    const tailLimit = Math.ceil(this.#limit / 2);
    const joined = Buffer.concat([this.#tail, rest.subarray(Math.max(0, rest.length - tailLimit))]);
    const kept = joined.subarray(Math.max(0, joined.length - tailLimit));
    this.#dropped += this.#tail.length + rest.length - kept.length;
    this.#tail = Buffer.from(kept);
  }

  text(): string {
    const head = Buffer.concat(this.#head).toString('utf8');
    const tail = this.#tail.toString('utf8');
    return this.#dropped === 0 ? head + tail : `${head}\n[… ${this.#dropped} bytes left out …]\n${tail}`;
  }
}
