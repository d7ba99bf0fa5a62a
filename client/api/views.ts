/** What is told of one rotation: everything that somebody who signs has to see, and nothing that only Temporal's operators may. */
import { shown } from "../../domain/decide.js";
import { tally } from "../../domain/decisions.js";
import type { Policy } from "../../domain/estate/types.js";
import { refusals } from "../../domain/finding.js";
import { plansOf } from "../cli/decide.js";
import type { Services } from "../cli/deps.js";
import { lookInto } from "../cli/look.js";
import { rotationStanding } from "../cli/standing.js";
import { credentialNamed } from "../cli/subject.js";

/** The rotation with this id, whatever has become of it. Throws `not-found`. */
export async function rotationView(
  services: Pick<Services, "inventory" | "rotations">,
  id: string,
  now: number,
) {
  const { inventory } = services;
  const record = await inventory.rotation(id);
  const look = await lookInto(services, record, now);
  const { state } = look;
  const decision = shown(state, now);
  const subject = await credentialNamed(services, record.name);
  const policies = await inventory.entries("policies");
  const policy = policies.find(({ name }) => name === subject.policy)?.body as Policy | undefined;
  const ids = [
    state.credential,
    ...plansOf(state).flatMap(({ plan }) => plan.consumers.map((consumer) => consumer.id)),
    ...Object.keys(state.consumers),
  ];
  return {
    rotation: rotationStanding(look),
    toSign: plansOf(state).map(({ title, plan }) => {
      const { satisfied, agreed } = tally(plan, state.decisions, state.policy, Number.POSITIVE_INFINITY, now);
      return { title, digest: plan.digest, satisfied, agreed: [...agreed], plan };
    }),
    reasons: {
      findings: state.findings,
      waitingFor: decision.kind === "wait" ? decision.for : (refusals(state.findings)[0]?.sentence ?? null),
      trouble: state.trouble?.sentence ?? null,
    },
    names: Object.fromEntries(ids.map((one) => [one, subject.names.of(one)])),
    purpose: subject.purpose,
    validForMs: policy?.approval.validForMs ?? null,
  };
}
