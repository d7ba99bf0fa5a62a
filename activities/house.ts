/** Dry runs and check-ups: what a rotation would do, what the installation lacks, which credentials are due. */
import type { Finding } from "../domain/finding.js";
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
  return [
    quorum === 0
      ? "Nobody is asked: the policy itself is the consent."
      : `${quorum} sign-off(s) asked of ${plan.approvers.join(", ")}.`,
    `Issue a new version in ${slot || "no slot (none is free)"}, beside the present one; prove it by logging in at every node.`,
    ...plan.waves.map(({ consumers }, index) =>
      consumers.length === 0
        ? `Wave ${index + 1}: promote it in the store; no consumer is declared.`
        : `Wave ${index + 1}: promote it in the store for ${names(consumers)}; wait until each instance works on it.`,
    ),
    "Watch until nobody uses the present version; switch it off, end its sessions, prove that every node refuses it.",
    `Destroy it. The point of no return is: ${plan.pointOfNoReturn}. Until then everything can go back.`,
  ];
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
