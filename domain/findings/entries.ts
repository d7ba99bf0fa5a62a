/** What is found of a consumer by itself, and of a place at which something with an end of its own stands. */
import type { Consumer } from "../estate/types.js";
import { estateSource } from "../graph/declared.js";
import { minuteOf } from "../watched.js";
import type { Present, Subject } from "./present.js";

/** A consumer of the estate: what it is for has to be said by somebody. */
export function consumerFindings(
  subject: Subject,
  { owner, purpose }: Pick<Consumer, "owner" | "purpose">,
): Present[] {
  if (purpose !== undefined) return [];
  const sentence = `Nobody has said what ${subject.name} does.`;
  const said = {
    subject,
    about: null,
    credential: null,
    places: [],
    sources: [],
    shownBy: [estateSource],
    sentence,
  };
  return [{ ...said, code: "no-purpose", severity: "warn", owners: owner === "" ? [] : [owner] }];
}

/** A place whose content has run out, such as an endpoint with its certificate. `expiresAt` is milliseconds since the epoch; `sources` are ids. */
export function placeFindings(
  subject: Subject,
  { expiresAt, sources }: { readonly expiresAt: number; readonly sources: readonly string[] },
  now: number,
): Present[] {
  if (expiresAt > now) return [];
  const sentence = `What ${subject.name} serves or keeps ran out on ${minuteOf(expiresAt)}.`;
  const said = {
    subject,
    about: null,
    credential: null,
    places: [],
    owners: [],
    sources,
    shownBy: sources,
    sentence,
  };
  return [{ ...said, code: "overdue", severity: "warn" }];
}
