/** Keeps an endpoint that anybody can reach from being worn out or asked twice: a rate for each caller, and nonces that work once. */

/** Callers are remembered up to this number; then those that have been idle are forgotten. */
const callersMax = 1000;

/** More unexpired nonces than this are refused rather than forgotten. */
const noncesMax = 10_000;

interface Bucket {
  tokens: number;
  at: number;
}

/** A token bucket for each caller: `burst` at once, then `perSecond`. */
export class RateLimit {
  readonly #buckets = new Map<string, Bucket>();
  readonly #perSecond: number;
  readonly #burst: number;

  constructor(perSecond: number, burst: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
  }

  /** True when the caller may go on; it has then used up one. */
  allows(caller: string, now: number): boolean {
    const bucket = this.#buckets.get(caller) ?? { tokens: this.#burst, at: now };
    bucket.tokens = this.#filled(bucket, now);
    bucket.at = now;
    if (!this.#buckets.has(caller)) this.#makeRoom(now);
    this.#buckets.set(caller, bucket);
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }

  #filled(bucket: Bucket, now: number): number {
    return Math.min(this.#burst, bucket.tokens + (Math.max(0, now - bucket.at) / 1000) * this.#perSecond);
  }

  #makeRoom(now: number): void {
    if (this.#buckets.size < callersMax) return;
    for (const [caller, bucket] of this.#buckets) {
      if (this.#filled(bucket, now) >= this.#burst) this.#buckets.delete(caller);
    }
    // All of them are busy: the one that was first seen makes room, so that memory stays bounded.
    const [oldest] = this.#buckets.keys();
    if (this.#buckets.size >= callersMax && oldest !== undefined) this.#buckets.delete(oldest);
  }
}

/** Remembers nonces until they expire. */
export class Nonces {
  readonly #until = new Map<string, number>();

  /** `fresh` the first time, `used` after that, `full` when too many are remembered. `expiresAt` and `now` in milliseconds. */
  take(nonce: string, expiresAt: number, now: number): "fresh" | "used" | "full" {
    if (this.#until.has(nonce)) return "used";
    if (this.#until.size >= noncesMax) {
      for (const [known, until] of this.#until) if (until <= now) this.#until.delete(known);
      if (this.#until.size >= noncesMax) return "full";
    }
    this.#until.set(nonce, expiresAt);
    return "fresh";
  }
}
