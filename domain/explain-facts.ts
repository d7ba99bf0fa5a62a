/**
 * What a rotation knows and how old that is, in sentences: each fact with where it was read, by whom and when, so
 * that nobody has to guess whether the engine looks at today's world or at yesterday's (H10).
 */

import { isFresh } from "./adoption.js";
import { count } from "./count.js";
import { span } from "./duration.js";
import { refusals } from "./finding.js";
import { nothingIssued, others } from "./rotation/moves.js";
import type { PlannedConsumer, RotationState, VersionState } from "./rotation/state.js";
import { isEnded } from "./version.js";

/** Ways by which each consumer is looked at, as the estate names them, by the consumer's id. */
export type Ways = Readonly<Record<string, readonly string[]>>;

/** `4 s ago`; `just now` for what is younger than a second, or dated by a clock that is ahead. */
export function ago(at: number, now: number): string {
  return now - at < 1_000 ? "just now" : `${span(now - at)} ago`;
}

/** The facts that the next step rests on. Names are ids. */
export function factsTold(state: RotationState, ways: Ways, now: number): string[] {
  return [
    lookTold(state, now),
    ...refusals(state.findings).map(({ code, sentence }) => `In the way (${code}): ${sentence}`),
    ...planTold(state, now),
    ...(nothingIssued(state) ? [] : consumersTold(state, ways, now)),
    ...others(state).flatMap((version) => usesTold(state, version, now)),
    ...Object.values(state.versions).flatMap((version) => offTold(version, now)),
    ...troubleTold(state, now),
  ];
}

/** The last look, and whether a step may rely on it. */
function lookTold(state: RotationState, now: number): string {
  const { surveyedAt, stale, policy } = state;
  if (surveyedAt === null) return "Issuer, store and consumers have not been looked at yet.";
  const seen = `A worker looked at issuer, store and consumers ${ago(surveyedAt, now)}, under epoch ${state.epoch}`;
  if (isFresh(state, now)) return `${seen}.`;
  return stale === true
    ? `${seen}; that was before the last change, so they are looked at anew before anything relies on it.`
    : `${seen}; a step relies on nothing older than ${span(policy.observationMaxAgeMs)}, so they are looked at anew first.`;
}

function planTold({ plan, amendments, decisions, askedAt }: RotationState, now: number): string[] {
  if (plan === null) return [];
  const made = [
    `The plan was made ${ago(plan.madeAt, now)}; its digest begins with ${plan.digest.slice(0, 12)}.`,
    ...amendments.map(({ madeAt }) => `It was added to ${ago(madeAt, now)}.`),
  ];
  const digests = new Set([plan, ...amendments].map(({ digest }) => digest));
  const signed = decisions
    .filter(({ digest }) => digests.has(digest))
    .map(({ person, verdict, issuedAt, expiresAt }) => {
      const said = `${person} signed ${verdict === "approve" ? "that they agree" : "that they refuse"} ${ago(issuedAt, now)}`;
      if (verdict === "reject") return `${said}.`;
      return expiresAt > now
        ? `${said}; that holds for another ${span(expiresAt - now)}.`
        : `${said}; that expired ${ago(expiresAt, now)}.`;
    });
  return [...made, ...(askedAt === null ? [] : [`The owners were asked ${ago(askedAt, now)}.`]), ...signed];
}

function consumersTold(state: RotationState, ways: Ways, now: number): string[] {
  const plan = state.amendments.at(-1) ?? state.plan;
  return (plan?.consumers ?? []).flatMap((consumer) => consumerTold(state, consumer, ways, now));
}

function consumerTold(
  state: RotationState,
  { id, place }: PlannedConsumer,
  ways: Ways,
  now: number,
): string[] {
  const told = state.places[place];
  const isTold = told?.told === state.target && told.toldTo.includes(id) && told.toldAt !== null;
  const telling = isTold ? [`${id} was given version ${state.target} ${ago(told.toldAt, now)}.`] : [];
  const seen = state.consumers[id];
  const by = ways[id] ?? [];
  const how = by.length === 0 ? "" : ` by ${by.join(" and ")}`;
  if (seen === undefined || seen.instances.length === 0) {
    return [
      ...telling,
      `No instance of ${id} has been seen${seen === undefined ? "" : ` ${ago(seen.at, now)}`}${how}.`,
    ];
  }
  const each = seen.instances.map(({ instance, version, working, accepts }) => {
    const holds =
      accepts === undefined
        ? version === null
          ? "does not say which version it holds"
          : `is on version ${version}`
        : `accepts ${accepts.length === 0 ? "none of the versions" : accepts.join(" and ")}`;
    return `${instance} ${holds}${working ? "" : " and was not seen to work"}`;
  });
  const since = seen.since === null ? "" : ` All of it works on the target since ${span(now - seen.since)}.`;
  return [...telling, `${id}, seen ${ago(seen.at, now)}${how}: ${each.join("; ")}.${since}`];
}

function usesTold(state: RotationState, { id, issuer }: VersionState, now: number): string[] {
  const use = state.uses[id];
  if (issuer === "absent" || use === undefined) return [];
  const { read } = use;
  const told =
    read === undefined
      ? []
      : [`${read.by} read version ${id} ${ago(read.at, now)}, after another one was live in its place.`];
  if (use.sessions > 0) {
    // Counted when the listing was seen to be whole, which is when the mark was seen in it.
    const when = use.watermarkAt === null ? "" : `, ${ago(use.watermarkAt, now)}`;
    const sentence = `Version ${id} was in use at the last look at the issuer${when}: ${count(use.sessions, "session")}.`;
    return [...told, sentence];
  }
  if (use.quietSince === null || use.watermarkAt === null) {
    const sentence = `Whether version ${id} is in use is not known: the issuer's sessions could not be listed.`;
    return [...told, sentence];
  }
  return [
    ...told,
    `Nobody was seen to use version ${id} since ${span(now - use.quietSince)}; the engine saw its own mark in that listing ${ago(use.watermarkAt, now)}.`,
  ];
}

function offTold({ id, life, disabledAt, refused, leaked }: VersionState, now: number): string[] {
  const leak = leaked ? [`Version ${id} counts as leaked.`] : [];
  if (disabledAt === null || isEnded(life)) return leak;
  const proof = refused ? "every node refused it then" : "not every node was seen to refuse it";
  return [...leak, `Version ${id} was switched off ${ago(disabledAt, now)}; ${proof}.`];
}

function troubleTold({ trouble }: RotationState, now: number): string[] {
  if (trouble === null) return [];
  const { step, code, sentence, since, attempts } = trouble;
  const what = step.replace(":", " of version ");
  return [
    `The step ${what} has failed ${count(attempts, "time")} since ${span(now - since)} (${code}): ${sentence}`,
  ];
}
