/** Accepting restored records (H32): everything outside is looked at first, a person signs for it, and a new generation begins. */

import { speaksFor } from "../domain/authority.js";
import { count } from "../domain/count.js";
import { clockSkewMs, type DocumentPayload } from "../domain/documents.js";
import { RekeyError } from "../domain/errors.js";
import type { Estate } from "../domain/estate/types.js";
import { takenUp } from "../domain/reconcile.js";
import { type Halt, ownTags, restoreDigest, tagsAhead } from "../domain/restore.js";
import type { Answered } from "../domain/rotation/work.js";
import { listCredentials } from "../inventory/credentials.js";
import { estateAround } from "../inventory/estate-load.js";
import { acceptRecords, generationOf, haltOf, knownRotations } from "../inventory/restores.js";
import { verifiedPayload } from "../inventory/signatures.js";
import { asRekeyError, callWithin } from "./calls.js";
import type { ActivityDeps } from "./deps.js";
import { knownOf, stockOf } from "./stock.js";

type Verdict = Pick<Answered, "accepted" | "sentence">;

/** Takes in the word of somebody who has looked. Answers with the reason when it does not count. */
export async function acceptRestored(deps: ActivityDeps, document: string): Promise<Verdict> {
  const halt = await haltOf(deps.db);
  if (halt === null)
    return { accepted: false, sentence: "No restore of the inventory waits to be accepted." };
  try {
    return await accepted(deps, halt, document);
  } catch (error) {
    if (error instanceof RekeyError && error.code === "decision-refused")
      return { accepted: false, sentence: error.message };
    throw error;
  }
}

async function accepted(deps: ActivityDeps, halt: Halt, document: string): Promise<Verdict> {
  const { db, installation, restores, newId } = deps;
  const estate = (await estateAround(db, null))?.estate;
  if (estate === undefined) throw refused("The records have no estate, so nobody's key is known.");
  const payload = await verifiedPayload(estate, document);
  checkWord(deps, estate, halt, payload);
  const outside = await lookOutside(deps);
  const texts = outside.flatMap(({ stock }) => [...stock.slots, ...stock.places].map(({ tag }) => tag));
  const tags = ownTags(texts, installation);
  const known = await knownRotations(
    db,
    tags.map(({ rotation }) => rotation),
  );
  const lost = tagsAhead(tags, known);
  const [inside, noted] = [await generationOf(db), await restores.noted()];
  const number = Math.max(inside?.number ?? 0, noted?.number ?? 0) + 1;
  const generation = { number, id: newId("gen") };
  const { person: by } = payload;
  const standings = Object.fromEntries(outside.map(({ id, stock, known: its }) => [id, takenUp(stock, its)]));
  const at = deps.now();
  await acceptRecords(db, { restore: halt.id, by, document, generation, lost, standings, at });
  await restores.raised({ ...generation, mark: inside?.mark ?? 0 });
  const log = await deps.audit.objection();
  const broken =
    log?.code === "audit-broken"
      ? ` ${log.message} Nothing ordinary is done until that is settled: docs/audit.md says how.`
      : "";
  const sentence = `${by} has accepted the records as they are; generation ${number} begins. ${count(lost.length, "tag outside is known", "tags outside are known")} to be of lost rotations.${broken}`;
  return { accepted: true, sentence };
}

function checkWord(
  { installation, now }: ActivityDeps,
  estate: Estate,
  halt: Halt,
  { says, digest, installation: its, person, issuedAt, expiresAt }: DocumentPayload,
): void {
  if (says !== "restored" || its !== installation) throw refused("It accepts something else.");
  if (digest !== restoreDigest(halt)) throw refused("It was signed for another restore.");
  if (issuedAt > now() + clockSkewMs) throw refused("It is dated in the future.");
  if (expiresAt <= now()) throw refused("It has expired.");
  if (issuedAt + clockSkewMs < halt.noticedAt) throw refused("It was signed before the restore was noticed.");
  const responders = Object.values(estate.policies).flatMap((policy) => policy.responders);
  const may = responders.length === 0 || speaksFor(estate, person, responders, now()).length > 0;
  if (!may) throw refused(`${person} is no responder of any policy.`);
}

/** Every credential's issuer and places. What cannot be looked at could be anything, so it refuses. */
async function lookOutside(deps: ActivityDeps) {
  const credentials = await listCredentials(deps.db);
  return Promise.all(
    credentials.map(async ({ id, name }) => {
      try {
        const stock = await stockOf(await deps.systems(id), callWithin());
        return { id, stock, known: await knownOf(deps, id) };
      } catch (error) {
        throw refused(`${name} cannot be looked at: ${asRekeyError(error).message}`);
      }
    }),
  );
}

function refused(detail: string): RekeyError {
  return new RekeyError("decision-refused", detail);
}
