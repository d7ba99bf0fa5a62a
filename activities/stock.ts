/** Looks at what exists of a credential, and compares it with what the inventory knows. Reads only, and no value. */
import type { Call } from "../adapters/ports.js";
import { driftsOf, type Known, type Stock, type StockTaking } from "../domain/reconcile.js";
import { listCredentials } from "../inventory/credentials.js";
import { rotationOf } from "../inventory/rotations.js";
import { versionsOf } from "../inventory/versions.js";
import { asRekeyError, callWithin } from "./calls.js";
import type { ActivityDeps, Systems } from "./deps.js";

/** Every credential of the estate, or the one with this id. What cannot be looked at is told as that. */
export async function takeStock(deps: ActivityDeps, only: string | null): Promise<StockTaking[]> {
  const credentials = await listCredentials(deps.db);
  const asked = credentials.filter(({ id }) => only === null || id === only);
  return Promise.all(
    asked.map(async ({ id, name }): Promise<StockTaking> => {
      try {
        const known = await knownOf(deps, id);
        const stock = await stockOf(await deps.systems(id), callWithin());
        return { credential: id, name, openRotation: known.openRotation, drifts: driftsOf(stock, known) };
      } catch (error) {
        const { message: sentence } = asRekeyError(error);
        const drift = { code: "unreachable", where: name, sentence, orphan: null } as const;
        return { credential: id, name, openRotation: null, drifts: [drift] };
      }
    }),
  );
}

/** What there is, at the issuer and at every place. Throws what the adapters throw. */
export async function stockOf({ issuer, stores }: Systems, call: Call): Promise<Stock> {
  const [view, live, places] = await Promise.all([
    issuer.survey(call),
    stores.main.live(call),
    Promise.all(
      Object.entries(stores).map(async ([place, store]) => {
        const [{ tag, liveVersion }, staged] = await Promise.all([
          store.view(call),
          store.stagedVersions(call),
        ]);
        return { place, tag, liveVersion, staged };
      }),
    ),
  ]);
  const slots = view.slots.map(({ slot, tag, enabled }) => ({ slot, tag, enabled }));
  return { slots, liveSlot: live === null ? null : issuer.slotOf(live), places };
}

/** What the records know of the credential. */
export async function knownOf({ db, installation }: ActivityDeps, credential: string): Promise<Known> {
  const [open, versions] = await Promise.all([rotationOf(db, credential), versionsOf(db, credential)]);
  return { installation, versions, openRotation: open?.id ?? null };
}
