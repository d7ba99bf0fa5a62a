/** What is there, what runs and what waits, as data: the command line prints it and the API answers with it, so that both say the same. */
import { currentGate, shown } from "../../domain/decide.js";
import { foldAll } from "../../domain/rotation/fold.js";
import type { Decision } from "../../domain/rotation/steps.js";
import type { CredentialView } from "../../inventory/credentials.js";
import type { KeptIncident } from "../../inventory/incidents.js";
import type { Overview } from "../../inventory/views.js";
import type { Services } from "./deps.js";
import type { Inventory } from "./inventory.js";
import { type Look, lookAt } from "./look.js";
import { openOf, type Subject } from "./subject.js";

/** Every credential, and what is owed. */
export interface AllStanding extends Overview {
  readonly credentials: readonly CredentialView[];
}

/** All credentials with their rotations as they stand now. */
export async function allStanding(inventory: Inventory, now: number): Promise<AllStanding> {
  const [listed, overview] = await Promise.all([inventory.credentials(), inventory.overview()]);
  return {
    credentials: await Promise.all(listed.map((one) => withStanding(inventory, one, now))),
    ...overview,
  };
}

const standings = { do: "doing", wait: "waiting", "needs-operator": "needs-operator", done: "done" } as const;

/** Gate and standing of an open rotation as they are now, where its worker has not noted them. */
async function withStanding(inventory: Inventory, one: CredentialView, now: number): Promise<CredentialView> {
  const open = openOf(one);
  if (open === null || open.gate !== null) return one;
  const { initial, events } = await inventory.rotation(open.id);
  const state = foldAll(initial, events);
  const rotation = { ...open, gate: currentGate(state, now), standing: standings[shown(state, now).kind] };
  return { ...one, rotation };
}

/** One credential, its latest rotation, and the reports that nobody signed off; `look` is null before the first rotation. */
export async function oneStanding(
  services: Pick<Services, "inventory" | "rotations">,
  { names: _names, open: _open, ...credential }: Subject,
  now: number,
): Promise<{
  readonly credential: CredentialView;
  readonly rotation: ReturnType<typeof rotationStanding> | null;
  readonly unsigned: readonly KeptIncident[];
  readonly look: Look | null;
}> {
  const look = await lookAt(services, credential.id, now);
  const unsigned = await services.inventory.unsigned(credential.id);
  return { credential, rotation: look === null ? null : rotationStanding(look), unsigned, look };
}

/** A look, in the shape in which programs get it. */
export function rotationStanding({ row, workflow, state, timeline, now }: Look) {
  const standing: Decision = shown(state, now);
  return { ...row, workflow, standing, state, timeline };
}
