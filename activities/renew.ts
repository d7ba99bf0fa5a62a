/**
 * Gate 8, where sessions do not tell versions: ends the sessions that were begun before their consumer had adopted
 * the target, while both versions are still valid, so that what will be needed later is seen to work now (H23).
 */

import { adoptedAt } from "../domain/drain.js";
import { RekeyError } from "../domain/errors.js";
import type { Step } from "../domain/rotation/steps.js";
import { changeActivity } from "./change.js";
import type { ActivityDeps } from "./deps.js";
import { consumerOf } from "./session-readers.js";

type Renew = Extract<Step, { do: "renew" }>;

/** Ends them. A repetition ends nothing more, so a lost answer leaves nothing to be settled. */
export function renewActivity(deps: ActivityDeps) {
  return changeActivity<Renew>(
    deps,
    () => ({}),
    async ({ systems, state, step, change, call }) => {
      const { issuer, consumers } = systems;
      if (issuer.renew === undefined) {
        throw new RekeyError("internal", "Sessions of this kind tell their version and are not renewed.");
      }
      const skewMs = deps.now() - (await issuer.survey(call)).at;
      await issuer.renew((session) => {
        const adopted = adoptedAt(state, consumerOf(consumers, session));
        return adopted === null ? null : adopted - skewMs;
      }, call);
      return { type: "renewed", at: deps.now(), version: step.version, change };
    },
  );
}
