/** Telling people: each notice is kept first, sent once, and never in the way of a step. */
import type { Notice } from "../adapters/ports.js";
import { personOf, signersFor } from "../domain/authority.js";
import { RekeyError } from "../domain/errors.js";
import { markNoticeSent, recordNotice } from "../inventory/notices.js";
import { callWithin } from "./calls.js";
import type { ActivityDeps, Systems } from "./deps.js";
import { signingOwners } from "./sign-off.js";

/** E-mail addresses of everybody who may sign for the credential. Whoever is barred from signing is told all the same. */
export function ownersAddresses(systems: Systems, now: number): string[] {
  const everybody = { requestedBy: "", recentEditors: [] };
  const persons = signersFor(systems.estate, signingOwners(systems), everybody, now);
  return persons.flatMap((name) => personOf(systems.estate, name)?.email ?? []);
}

/** Sends a notice once. What no notifier takes stays unsent in the records, where `rekey status` shows it. */
export async function tell(deps: ActivityDeps, systems: Systems, notice: Notice): Promise<void> {
  const { id, rotation, kind, recipients } = notice;
  const kept = await recordNotice(deps.db, { id, rotation, kind, recipients, at: deps.now() });
  if (kept.sentAt !== null || systems.notifiers.length === 0) return;
  const sent = await Promise.allSettled(
    systems.notifiers.map((notifier) => notifier.notify(notice, callWithin())),
  );
  const failed = sent.find((result) => result.status === "rejected");
  if (failed === undefined) await markNoticeSent(deps.db, id, deps.now());
  else if (!(failed.reason instanceof RekeyError)) throw failed.reason;
}
