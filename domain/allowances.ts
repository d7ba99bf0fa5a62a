/**
 * What lets a gate pass that would hold otherwise: exceptions, and whom a consumer claims as itself. People sign a plan with these
 * in it, so that who adds one while a rotation runs has everybody's leave for it, or none (H17, H37).
 */
import type { CredentialException, Match } from "./estate/types.js";
import { nothingIssued } from "./rotation/moves.js";
import type { Allowances, Plan, RotationState } from "./rotation/state.js";

/** They as a plan has them, whatever their order in the estate; `consumers` by their ids, as the plan names them. */
export function allowancesOf(
  exceptions: readonly CredentialException[],
  consumers: readonly { readonly id: string; readonly match: Match }[],
): Allowances {
  const claims = consumers.map(({ id, match }) => [id, claimsOf(match)] as const);
  return {
    exceptions: exceptions
      .map(({ finding, about, owner, until, reason }) => ({
        ...{ finding, owner, until, reason },
        ...(about === undefined ? {} : { about }),
      }))
      .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)),
    claims: Object.fromEntries(claims.filter(([, claimed]) => claimed.length > 0)),
  };
}

function claimsOf(match: Match): string[] {
  return Object.entries(match)
    .flatMap(([trait, values]: [string, readonly string[] | undefined]) =>
      (values ?? []).map((value) => `${trait}: ${value}`),
    )
    .sort();
}

/**
 * What a plan that is made now says of them. Before something is issued, what the estate says. After it nobody is asked to agree to
 * fewer: it stays what was agreed to, as long as that covers what the estate says, and else it is what the estate says, which
 * makes an amendment. `undefined` where people signed a plan of before these were in it, and are not asked for that alone.
 */
export function plannedAllowances(state: RotationState, now: Allowances): Allowances | undefined {
  if (state.plan === null || nothingIssued(state)) return now;
  const agreed = [state.plan, ...state.amendments].map(({ terms }: Plan) => terms?.allows);
  if (agreed.includes(undefined)) return undefined;
  return agreed.find((allowed) => allowed !== undefined && covers(allowed, now)) ?? now;
}

/** Whatever `now` lets pass `agreed` lets pass too; who answers for an exception is part of it, its reason is not. */
export function covers(agreed: Allowances, now: Allowances): boolean {
  const excepted = now.exceptions.every((one) =>
    agreed.exceptions.some(
      ({ finding, about, owner, until }) =>
        finding === one.finding &&
        owner === one.owner &&
        (about === undefined || about === one.about) &&
        Date.parse(until) >= Date.parse(one.until),
    ),
  );
  const claimed = Object.entries(now.claims).every(([id, claims]) =>
    claims.every((claim) => agreed.claims[id]?.includes(claim)),
  );
  return excepted && claimed;
}
