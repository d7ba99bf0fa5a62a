/** Tells owners of findings that have opened: a digest for each owner and notifier, never in the way of a reading. */
import type { Notice } from "../adapters/ports.js";
import { respondersOf, toldFor } from "../domain/authority.js";
import { count } from "../domain/count.js";
import { RekeyError } from "../domain/errors.js";
import { digestOf } from "../domain/findings/digest.js";
import {
  type FindingNotice,
  keepFindingNotices,
  lateFindingNotices,
  markFindingsTold,
  noticedFindings,
} from "../inventory/finding-notices.js";
import { callWithin } from "./calls.js";
import type { ActivityDeps, Channels } from "./deps.js";

/** Notices that one reading sends; the others wait for the next one. */
const noticesMax = 200;
/** So many that could not be sent say that the next one cannot either. */
const failuresMax = 3;
/** After so long the others wait for the next reading, too. */
const tellMsMax = 2 * 60_000;
/** Whoever has kept a notice for less is about to send it. */
const lateAfterMs = 10 * 60_000;

/**
 * Tells of what has opened up to `at`, the time of the look that was just made; then what could not be told before. Answers with
 * a sentence where somebody could not be told, which stays in the records and is tried again after a later reading.
 */
export async function tellOfFindings(deps: ActivityDeps, at: number): Promise<string | null> {
  try {
    const channels = await deps.channels();
    if (channels === null) return null;
    const names = Object.keys(channels.notifiers);
    const fresh = await keepFindingNotices(deps.db, names, at);
    const before = at - lateAfterMs;
    const late = await lateFindingNotices(deps.db, names, { before, max: noticesMax });
    return await sendAll(deps, channels, [...fresh, ...late].slice(0, noticesMax));
  } catch (error) {
    if (!(error instanceof RekeyError)) throw error;
    return `Owners were not told of new findings: ${error.message}`;
  }
}

/** Sends one after the other, those of a notifier that has failed too often no more. */
async function sendAll(
  deps: ActivityDeps,
  channels: Channels,
  notices: readonly FindingNotice[],
): Promise<string | null> {
  const until = performance.now() + tellMsMax;
  const failures: { readonly notifier: string; readonly why: string }[] = [];
  for (const notice of notices) {
    const failed = failures.filter(({ notifier }) => notifier === notice.notifier).length;
    if (performance.now() > until || failed >= failuresMax) continue;
    const why = await send(deps, channels, notice);
    if (why !== null) failures.push({ notifier: notice.notifier, why });
  }
  const [first] = failures;
  if (first === undefined) return null;
  const told = `${count(failures.length, "notice")} of new findings could not be sent`;
  return `${told}: notifier ${first.notifier}: ${first.why} \`rekey status\` counts what is not sent; it is tried again after a later reading.`;
}

/** Null when the notifier has it, or there is nothing left to tell; else why it has not. */
async function send(
  deps: ActivityDeps,
  { estate, notifiers }: Channels,
  notice: FindingNotice,
): Promise<string | null> {
  const { id, owner } = notice;
  const { lines, total } = await noticedFindings(deps.db, notice);
  const now = deps.now();
  const recipients = owner === null ? respondersOf(estate, now) : toldFor(estate, owner, now);
  if (total > 0) {
    const said: Notice = {
      id,
      kind: "findings",
      rotation: null,
      recipients,
      ...digestOf(owner, lines, total),
    };
    try {
      await notifiers[notice.notifier]?.().notify(said, callWithin());
    } catch (error) {
      if (!(error instanceof RekeyError)) throw error;
      return error.message;
    }
  }
  await markFindingsTold(deps.db, id, total > 0 ? recipients : [], deps.now());
  return null;
}
