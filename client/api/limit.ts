/** How often somebody may send: a bucket for each sender that fills with time. Pure in `now`, and bounded in what it remembers. */
import { RekeyError } from "../../domain/errors.js";

const minuteMs = 60_000;

/** Counts requests by sender. */
export interface RateLimit {
  /** Takes one from the sender's bucket. Throws `too-many` when it is empty. */
  take(sender: string, now: number): void;
}

/**
 * `perMinute` in the long run, as many at once after a minute's rest. Of more than `sendersMax` senders the one
 * that was longest silent is forgotten, which gives it a full bucket and costs nobody else theirs.
 */
export function rateLimit(perMinute: number, sendersMax = 10_000): RateLimit {
  const buckets = new Map<string, { left: number; at: number }>();
  return {
    take(sender, now) {
      const known = buckets.get(sender) ?? { left: perMinute, at: now };
      const filled = Math.min(perMinute, known.left + ((now - known.at) / minuteMs) * perMinute);
      buckets.delete(sender);
      // What is refused costs nothing, or a sender who keeps asking would never be served again.
      buckets.set(sender, { left: filled < 1 ? filled : filled - 1, at: now });
      const [oldest] = buckets.keys();
      if (buckets.size > sendersMax && oldest !== undefined) buckets.delete(oldest);
      if (filled < 1) throw new RekeyError("too-many");
    },
  };
}
