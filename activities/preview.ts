/**
 * A dry run: the same look, the same rules and the same plan as a rotation, with nothing changed, and nothing kept but the keyed
 * hashes of the value that is live: by those the records know a copy of it, before its first rotation too.
 */
import { count } from "../domain/count.js";
import { forecastOf } from "../domain/forecast.js";
import { applyIncident } from "../domain/incident.js";
import { checkersMemoryMs } from "../domain/roles.js";
import { initialState } from "../domain/rotation/initial.js";
import type { Plan, RotationState } from "../domain/rotation/state.js";
import type { Preview, PreviewRequest } from "../domain/rotation/work.js";
import { callWithin } from "./calls.js";
import type { ActivityDeps, Systems } from "./deps.js";
import { mappedAsSeen, type ValueAsked } from "./mapped.js";
import { versionsRead } from "./read-versions.js";
import { type Surveyor, survey } from "./survey.js";
import { excludedFor } from "./surveyor.js";

/** Versions of a dry run: ids that a store takes, and that no version ever has. */
const previewIds = ["ver_of_now", "ver_to_come"] as const;

/** What a rotation would do now, or an emergency in which the value that is live now has leaked. */
export async function preview(deps: ActivityDeps, request: PreviewRequest): Promise<Preview> {
  const { credential } = request;
  const systems = await deps.systems(credential);
  const call = callWithin();
  const [view, place, live] = await Promise.all([
    systems.issuer.survey(call),
    systems.stores.main.view(call),
    systems.stores.main.live(call),
  ]);
  const begun = initialState({
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
    ids: [...previewIds],
    now: deps.now(),
  });
  const state = request.emergency === undefined ? begun : alarmed(begun, request.emergency, deps.now());
  const excluded = await excludedFor(deps, systems, { credential, requestedBy: "" });
  const mapped = (asked: ValueAsked) => mappedAsSeen(deps, systems, asked);
  const surveyor: Surveyor = {
    ...{ deps, systems, confirmations: [], excluded, mapped },
    versionReads: (seen, since) => versionsRead({ deps, systems }, seen, since),
  };
  const { facts } = await survey(surveyor, state, call);
  const { plan } = facts;
  const nameOf = namesOf(systems);
  return {
    credential,
    plan,
    findings: facts.findings,
    // A leak waits for no window.
    notBefore: state.emergency === null ? facts.notBefore : null,
    names: Object.fromEntries([
      [credential, systems.name],
      [previewIds[0], "old"],
      [previewIds[1], "new"],
      ...systems.consumers.map(({ id, name }) => [id, name]),
    ]),
    sentences: sentencesOf(systems, plan, state),
    forecast: forecastOf({ ...state, plan }, nameOf),
  };
}

/** As if a responder had just reported that the live value leaked. */
function alarmed(
  state: RotationState,
  { containment = state.policy.containment }: NonNullable<PreviewRequest["emergency"]>,
  now: number,
): RotationState {
  const { containmentDeadlineMs, signOffDeadlineMs } = state.policy;
  return applyIncident(state, {
    type: "incident",
    at: now,
    leaked: [state.origin],
    containment,
    emergency: {
      reason: "a dry run",
      containment,
      startedAt: now,
      containBy: now + containmentDeadlineMs,
      signOffBy: now + signOffDeadlineMs,
      responders: [],
    },
  });
}

function namesOf({ consumers }: Systems): (id: string) => string {
  const names = new Map(consumers.map(({ id, name }) => [id, name]));
  return (id) => names.get(id) ?? id;
}

/** The walk for people, in its order. What an emergency leaves out is in the forecast. */
function sentencesOf(systems: Systems, plan: Plan, state: RotationState): string[] {
  const { quorum } = systems.rules.approval;
  const slot = state.versions[state.target]?.slot ?? "";
  const issue = `Issue a new version in ${slot || "no slot (none is free)"}, ${
    plan.pointOfNoReturn === "issue"
      ? "in the place of the present one: this is the point of no return"
      : "beside the present one"
  }; prove it by logging in at every node.`;
  const waves = waveSentences(systems, plan);
  if (state.emergency !== null) return urgentSentences(state.emergency.containment, issue, waves);
  return [
    quorum === 0
      ? "Nobody is asked: the policy itself is the consent."
      : `${count(quorum, "sign-off")} asked of ${plan.approvers.join(", ")}.`,
    issue,
    ...waves,
    plan.pointOfNoReturn === "issue"
      ? "Prove that every node refuses the present version, which is gone since the issue; whoever holds it fails until told."
      : `Watch until nobody uses the present version; switch it off, end its sessions, prove that every node refuses it.${
          plan.pointOfNoReturn === "disable" ? " This is the point of no return." : ""
        }`,
    plan.pointOfNoReturn === "destroy"
      ? "Destroy it. This is the point of no return; until then everything can go back."
      : "Destroy it.",
  ];
}

function waveSentences(systems: Systems, plan: Plan): string[] {
  const nameOf = namesOf(systems);
  const names = (ids: readonly string[]) => ids.map(nameOf).join(", ");
  // The first wave with somebody who cannot be moved back, unless there is no way back even before it (H29).
  const stuck = plan.consumers.filter(({ reversible }) => !reversible).map(({ id }) => id);
  const last = plan.pointOfNoReturn.startsWith("deliver")
    ? plan.waves.findIndex(({ consumers }) => consumers.some((id) => stuck.includes(id)))
    : -1;
  const heardMs = checkersMemoryMs({ traits: systems.issuer.traits, plan, amendments: [] });
  return plan.waves.map(({ place, consumers }, index) => {
    if (place === null)
      return `Wave ${index + 1}: published; wait until ${names(consumers) || "whoever checks it"} has heard of it, and at least ${seconds(heardMs)}.`;
    const wave = `Wave ${index + 1}: promote it in the store`;
    if (consumers.length === 0) return `${wave}; no consumer is declared.`;
    const told = `${wave} for ${names(consumers)}; wait until each instance works on it.`;
    return index === last
      ? `${told} This is the point of no return: ${names(stuck)} cannot be moved back.`
      : told;
  });
}

function seconds(ms: number): string {
  return `${Math.ceil(ms / 1_000)} s`;
}

function urgentSentences(containment: string, issue: string, waves: readonly string[]): string[] {
  const off = "end its sessions, prove that every node refuses it";
  const report = "Take a responder's signed report; tell the owners.";
  const end = "Destroy it. Nothing leads back to it.";
  return containment === "revoke-now"
    ? [report, issue, `Switch the leaked version off at once, ${off}.`, ...waves, end]
    : [
        report,
        issue,
        ...waves,
        `Switch the leaked version off once everybody has moved, or at the containment's deadline; ${off}.`,
        end,
      ];
}
