/**
 * The one compare-and-set of every store: what a promote or a seize may do with the document that was just
 * read, and when it must hold. Kept apart from the stores, so that all of them refuse the same things (H18).
 */
import { RekeyError } from "../../domain/errors.js";
import { formatTag, parseTag } from "../../domain/fence.js";
import { type Applied, type Call, type FencedChange, ownFields, type SecretDocument } from "../ports.js";
import {
  credentialFields,
  differing,
  type FieldMap,
  type FieldWrites,
  type OwnDocument,
  oneWrite,
  writesOf,
} from "./own-fields.js";
import { pause, pauseBefore } from "./retry.js";

/** What one look at the place found. `Revision` is the store's own mark of that state. */
export interface Seen<Revision> {
  readonly live: OwnDocument | null;
  /** The engine-only copy of the version to promote. */
  readonly staged: SecretDocument | null;
  /** The engine-only copy of the version that the expected tag names, if there is one. */
  readonly held: SecretDocument | null;
  readonly revision: Revision;
}

/** Where a document is and who looks at it; for decisions and sentences. */
export interface Place {
  /** Names the place in sentences. */
  readonly name: string;
  readonly fields: FieldMap;
  readonly installation: string;
}

/** A store's part in the exchange. `write` says `stale` when the revision was no longer the current one. */
export interface Exchange<Revision> {
  read(): Promise<Seen<Revision>>;
  write(writes: FieldWrites, revision: Revision): Promise<"written" | "stale">;
}

/** Other writers of the same document may win this often before it is called a conflict. */
const triesMax = 6;

const between = { attempts: triesMax, attemptTimeoutMs: 0, pauseMs: 10, pauseMsMax: 200 };

/** Writes the staged version over our fields, or says that it is there `already`. Throws `fenced`, `foreign-installation`, `conflict`, `value-missing`. */
export function promoteFenced<R>(
  place: Place,
  change: FencedChange,
  exchange: Exchange<R>,
  call: Call,
): Promise<Applied> {
  return compareAndSet(place, exchange, call, (seen) => {
    if (seen.live?.tag === formatTag(change.tag)) return settled(place, seen);
    refuseForeignTag(place, change, seen.live);
    if (seen.staged === null) {
      throw new RekeyError(
        "value-missing",
        `There is no staged copy of ${change.tag.version} for ${place.name}.`,
      );
    }
    refuseForeignValue(place, seen);
    return writesOf(seen.staged, change.tag.version, formatTag(change.tag), place.fields);
  });
}

/** Replaces the tag and nothing else, also where there is no document yet: the tag alone then stands guard. */
export function seizeFenced<R>(
  place: Place,
  change: FencedChange,
  exchange: Exchange<R>,
  call: Call,
): Promise<Applied> {
  return compareAndSet(place, exchange, call, ({ live }) => {
    if (live?.tag === formatTag(change.tag)) return "already";
    refuseForeignTag(place, change, live);
    return oneWrite(ownFields.tag, formatTag(change.tag), place.fields);
  });
}

async function compareAndSet<R>(
  place: Place,
  exchange: Exchange<R>,
  call: Call,
  decide: (seen: Seen<R>) => "already" | FieldWrites,
): Promise<Applied> {
  let first: OwnDocument | null | undefined;
  for (let attempt = 1; attempt <= triesMax; attempt++) {
    const seen = await exchange.read();
    const writes = decide(seen);
    if (writes === "already") return "already";
    if (first === undefined) first = seen.live;
    else refuseMovedValue(place, first, seen.live);
    if ((await exchange.write(writes, seen.revision)) === "written") return "applied";
    await pause(pauseBefore(attempt, between), call, place.name);
  }
  throw new RekeyError(
    "conflict",
    `Others write ${place.name} so often that our own fields could not be written.`,
  );
}

/** Our tag stands there: an earlier attempt did it, unless somebody changed the value behind the tag since. */
function settled<R>(place: Place, seen: Seen<R>): "already" {
  if (seen.staged !== null && seen.live !== null) {
    const changed = differing(seen.live.values, seen.staged, credentialFields(place.fields));
    if (changed.length > 0) throw foreignWrite(place, changed);
  }
  return "already";
}

function refuseForeignTag(place: Place, change: FencedChange, live: OwnDocument | null): void {
  const tag = live?.tag ?? "";
  if (tag === change.expect) return;
  const owner = parseTag(tag)?.installation;
  if (owner !== undefined && owner !== place.installation) {
    throw new RekeyError(
      "foreign-installation",
      `${place.name} carries the tag of the installation "${owner}".`,
    );
  }
  throw new RekeyError(
    "fenced",
    `${place.name} does not carry the tag that was read before; nothing was changed.`,
  );
}

/** The document carries the expected tag, and yet another value than the one that was put there under that tag. */
function refuseForeignValue<R>(place: Place, { live, held }: Seen<R>): void {
  if (live === null || held === null) return;
  if (live.version !== held[ownFields.version]?.reveal()) return;
  const changed = differing(live.values, held, credentialFields(place.fields));
  if (changed.length > 0) throw foreignWrite(place, changed);
}

/** Between two looks of the same change somebody wrote into our own fields. */
function refuseMovedValue(place: Place, before: OwnDocument | null, after: OwnDocument | null): void {
  const names = [...credentialFields(place.fields), ownFields.version, ownFields.attestKey];
  const changed = differing(before?.values ?? {}, after?.values ?? {}, names);
  if (changed.length > 0) throw foreignWrite(place, changed);
}

function foreignWrite(place: Place, changed: readonly string[]): RekeyError {
  return new RekeyError(
    "conflict",
    `Somebody else wrote ${changed.map((field) => `"${field}"`).join(", ")} at ${place.name}; nothing was changed.`,
    "Find the other writer and put the value back that Rekey left there; `rekey status` shows which version that is.",
  );
}
