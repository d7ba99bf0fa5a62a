/** Refuses an estate with an exception that would last longer than it may, before somebody relies on it (C30). */
import { formatDuration } from "../../domain/duration.js";
import { RekeyError } from "../../domain/errors.js";
import type { CredentialException, Estate, Policy } from "../../domain/estate/types.js";
import { bounded, isTooLong } from "../../domain/exceptions.js";
import type { SubmittedEntry } from "../../inventory/submission.js";

/**
 * Throws `bad-input` where an entry has an exception that at `now` (milliseconds since the epoch) does not count by its policy.
 * `known` has the policies that are not among the entries. It is asked once more whenever an exception is used: one that was
 * applied before its policy was made stricter is not refused here.
 */
export async function refuseLongExceptions(
  entries: readonly SubmittedEntry[],
  known: () => Promise<Estate["policies"]>,
  now: number,
): Promise<void> {
  const excepted = entries.filter(({ body }) => Array.isArray(body.exceptions) && body.exceptions.length > 0);
  if (excepted.length === 0) return;
  const policies = new Map<string, Policy>(Object.entries(await known()));
  for (const { section, name, body } of entries)
    if (section === "policies") policies.set(name, body as unknown as Policy);
  for (const { section, name, body } of excepted) {
    const policy = section === "credentials" ? (policies.get(String(body.policy)) ?? null) : null;
    const exceptions = body.exceptions as readonly CredentialException[];
    const long = bounded(exceptions, policy).find((one) => isTooLong(one, now));
    if (long === undefined) continue;
    const most = formatDuration(long.maxMs);
    const rule =
      section === "credentials" ? `\`exceptionMax\` of policy ${body.policy}` : "as for any source";
    throw new RekeyError(
      "bad-input",
      `The exception of ${name} for ${long.finding} until ${long.until.slice(0, 10)} is longer than ${most} (${rule}).`,
      `Let it end by ${new Date(now + long.maxMs).toISOString().slice(0, 10)}; whoever answers for it can extend it then.`,
    );
  }
}
