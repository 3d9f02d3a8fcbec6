// An allowance for each of many keys (client-go's flowcontrol.NewTokenBucketPassiveRateLimiter, one for each key).
import { LastUsed } from './last-used.ts';

export interface TokenBucketOptions {
  /** Tokens a key has at first, and at most. */
  readonly burst: number;
  /** One comes back in so long, in milliseconds. */
  readonly refillMs: number;
  /** Keys remembered. One that is forgotten begins with all its tokens. */
  readonly keys: number;
}

/** An allowance for each key. */
export class TokenBuckets {
  readonly #options: TokenBucketOptions;
  readonly #buckets: LastUsed<{ tokens: number; at: number }>;

  constructor(options: TokenBucketOptions) {
    this.#options = options;
    this.#buckets = new LastUsed(options.keys);
  }

  /** Takes one of `key`'s tokens. @param now monotonic milliseconds @returns whether there was one */
  take(key: string, now: number): boolean {
    const { burst, refillMs } = this.#options;
    const { tokens, at } = this.#buckets.get(key) ?? { tokens: burst, at: now };
    const filled = Math.min(burst, tokens + (now - at) / refillMs);
    const granted = filled >= 1;
    this.#buckets.set(key, { tokens: granted ? filled - 1 : filled, at: now });
    return granted;
  }
}
