/** Telling people: each notice is kept first, sent once, and never in the way of a step. */
import type { Notice } from "../adapters/ports.js";
import { addressesOf } from "../domain/authority.js";
import { RekeyError } from "../domain/errors.js";
import { markNoticeSent, recordNotice, unsentNotices } from "../inventory/notices.js";
import { callWithin } from "./calls.js";
import type { ActivityDeps, Systems } from "./deps.js";
import { signingOwners } from "./sign-off.js";

/** A notice of a rotation. */
type OfRotation = Notice & { readonly rotation: string };

/**
 * E-mail addresses of everybody who may sign for the credential, and of those who stand behind `others`. Whoever is
 * barred from signing is told all the same.
 */
export function ownersAddresses(systems: Systems, now: number, others: readonly string[] = []): string[] {
  return addressesOf(systems.estate, [...signingOwners(systems), ...others], now);
}

/** E-mail addresses of everybody who may report a leak of the credential. */
export function respondersAddresses({ estate, policy }: Systems, now: number): string[] {
  const named = policy.responders.length > 0 ? policy.responders : Object.keys(estate.owners);
  return addressesOf(estate, named, now);
}

/**
 * Sends a notice once. What not every notifier takes stays unsent in the records, where `rekey status` shows it,
 * and is tried again with the rotation's next notice.
 */
export async function tell(deps: ActivityDeps, systems: Systems, notice: OfRotation): Promise<void> {
  if (!(await send(deps, systems, notice))) return;
  for (const late of await unsentNotices(deps.db, notice.rotation)) {
    const { id, recipients } = late;
    const kind = late.kind as Notice["kind"];
    const subject = `Told late (${kind}): ${systems.name}`;
    const since = new Date(late.at).toISOString();
    const text = `A notice of ${since} could not be sent then. \`rekey status ${systems.name}\` shows how things stand now.`;
    if (!(await send(deps, systems, { ...notice, id, kind, recipients, subject, text }))) return;
  }
}

/** True when every notifier has it, now or from an earlier attempt. */
async function send(deps: ActivityDeps, systems: Systems, notice: Notice): Promise<boolean> {
  const { id, rotation, kind, recipients } = notice;
  const kept = await recordNotice(deps.db, { id, rotation, kind, recipients, at: deps.now() });
  if (kept.sentAt !== null) return true;
  if (systems.notifiers.length === 0) return false;
  const sent = await Promise.allSettled(
    systems.notifiers.map((notifier) => notifier.notify(notice, callWithin())),
  );
  const failed = sent.find((result) => result.status === "rejected");
  if (failed !== undefined && !(failed.reason instanceof RekeyError)) throw failed.reason;
  if (failed === undefined) await markNoticeSent(deps.db, id, deps.now());
  return failed === undefined;
}
