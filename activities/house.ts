/** Dry runs and check-ups: what a rotation would do, what the installation lacks, which credentials are due. */
import type { Finding } from "../domain/finding.js";
import { checkersMemoryMs } from "../domain/roles.js";
import { initialState } from "../domain/rotation/initial.js";
import type { Plan } from "../domain/rotation/state.js";
import type { Diagnosis, HouseWork, Preview } from "../domain/rotation/work.js";
import {
  dueCredentials,
  listCredentials,
  type OpenRotation,
  openRotations,
} from "../inventory/credentials.js";
import { asRekeyError, callWithin, framed } from "./calls.js";
import type { ActivityDeps, Systems } from "./deps.js";
import { takeSignOff } from "./sign-off.js";
import { survey } from "./survey.js";
import { excludedFor } from "./surveyor.js";

/** What the launcher asks besides what is due: which rotations are open, and may have lost their workflow. */
interface Launching {
  orphans(request: { readonly policy: string }): Promise<readonly OpenRotation[]>;
}

/** The activities of the short workflows. None of them changes anything outside. */
export function houseWork(deps: ActivityDeps): HouseWork & Launching {
  return {
    preview: ({ credential }) => framed(() => preview(deps, credential)),
    diagnose: () => framed(() => diagnose(deps)),
    signOff: ({ credential, document }) => framed(() => takeSignOff(deps, credential, document)),
    orphans: ({ policy }) => framed(() => openRotations(deps.db, policy)),
    due: ({ policy }) =>
      framed(async () => {
        const due = await dueCredentials(deps.db, deps.now());
        return due.filter((entry) => entry.policy === policy).map((entry) => entry.id);
      }),
  };
}

async function preview(deps: ActivityDeps, credential: string): Promise<Preview> {
  const systems = await deps.systems(credential);
  const call = callWithin();
  const [view, place, live] = await Promise.all([
    systems.issuer.survey(call),
    systems.stores.main.view(call),
    systems.stores.main.live(call),
  ]);
  const state = initialState({
    rotation: "preview",
    credential,
    installation: deps.installation,
    nonce: "preview",
    epoch: 0,
    policy: systems.rules,
    traits: systems.issuer.traits,
    slots: view.slots,
    places: [{ place: "main", tag: place.tag, liveVersion: place.liveVersion }],
    liveSlot: live === null ? null : systems.issuer.slotOf(live),
    living: [],
    ended: [],
    ids: ["the present version", "the new version"],
    now: deps.now(),
  });
  const excluded = await excludedFor(deps, systems, { credential, requestedBy: "" });
  const { facts } = await survey({ deps, systems, confirmations: [], excluded }, state, call);
  return {
    credential,
    plan: facts.plan,
    findings: facts.findings,
    notBefore: facts.notBefore,
    names: Object.fromEntries([
      [credential, systems.name],
      ...systems.consumers.map(({ id, name }) => [id, name]),
    ]),
    sentences: sentencesOf(systems, facts.plan, state.versions[state.target]?.slot ?? ""),
  };
}

function sentencesOf(systems: Systems, plan: Plan, slot: string): string[] {
  const nameOf = new Map(systems.consumers.map(({ id, name }) => [id, name]));
  const names = (ids: readonly string[]) => ids.map((id) => nameOf.get(id) ?? id).join(", ");
  const { quorum } = systems.rules.approval;
  // The first wave with somebody who cannot be moved back, unless there is no way back even before it (H29).
  const stuck = plan.consumers.filter(({ reversible }) => !reversible).map(({ id }) => id);
  const last = plan.pointOfNoReturn.startsWith("deliver")
    ? plan.waves.findIndex(({ consumers }) => consumers.some((id) => stuck.includes(id)))
    : -1;
  const heardMs = checkersMemoryMs({ traits: systems.issuer.traits, plan, amendments: [] });
  return [
    quorum === 0
      ? "Nobody is asked: the policy itself is the consent."
      : `${quorum} sign-off(s) asked of ${plan.approvers.join(", ")}.`,
    `Issue a new version in ${slot || "no slot (none is free)"}, ${
      plan.pointOfNoReturn === "issue"
        ? "in the place of the present one: this is the point of no return"
        : "beside the present one"
    }; prove it by logging in at every node.`,
    ...plan.waves.map(({ place, consumers }, index) => {
      if (place === null)
        return `Wave ${index + 1}: published; wait until ${names(consumers) || "whoever checks it"} has heard of it, and at least ${seconds(heardMs)}.`;
      const wave = `Wave ${index + 1}: promote it in the store`;
      if (consumers.length === 0) return `${wave}; no consumer is declared.`;
      const told = `${wave} for ${names(consumers)}; wait until each instance works on it.`;
      return index === last
        ? `${told} This is the point of no return: ${names(stuck)} cannot be moved back.`
        : told;
    }),
    `Watch until nobody uses the present version; switch it off, end its sessions, prove that every node refuses it.${
      plan.pointOfNoReturn === "disable" ? " This is the point of no return." : ""
    }`,
    plan.pointOfNoReturn === "destroy"
      ? "Destroy it. This is the point of no return; until then everything can go back."
      : "Destroy it.",
  ];
}

function seconds(ms: number): string {
  return `${Math.ceil(ms / 1_000)} s`;
}

async function diagnose(deps: ActivityDeps): Promise<Diagnosis[]> {
  const credentials = await listCredentials(deps.db);
  return Promise.all(
    credentials.map(async ({ id, name }) => {
      try {
        const { findings } = await preview(deps, id);
        return { subject: name, findings };
      } catch (error) {
        const { code, message } = asRekeyError(error);
        const finding: Finding = { code, severity: "refuse", sentence: message };
        return { subject: name, findings: [finding] };
      }
    }),
  );
}
