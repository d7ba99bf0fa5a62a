/**
 * Sources that ask servers who is connected: each server is looked at with the same patience, and what was seen there is told
 * in the same words, whatever protocol it came by.
 */
import { sessionName } from "../../domain/discovery/match.js";
import type { Claim, Seen } from "../../domain/discovery/said.js";
import type { Finding } from "../../domain/finding.js";
import type { AdapterDeps, Call, Source } from "../ports.js";
import { retryRead } from "./retry.js";
import { placeParts, type Said } from "./source-part.js";
import { placeFindings } from "./source-preflight.js";

/** How servers of a kind are looked at, and what a look says. `at` is now, in milliseconds since the epoch. */
export interface SessionsLook<Place, Look> {
  readonly look: (place: Place, call: Call) => Promise<Look>;
  readonly said: (found: Look, place: Place, at: number) => Said;
  /** What a look says of rights that are missing. */
  readonly findings: (found: Look, place: Place) => Finding[];
}

/** A source that looks at each of these servers, several at once, twice where the first look fails. */
export function sessionsSource<Place extends { readonly name: string }, Look>(
  places: readonly Place[],
  { now }: Pick<AdapterDeps, "now">,
  { look, said, findings }: SessionsLook<Place, Look>,
): Source {
  const patiently = (place: Place, call: Call) =>
    retryRead(call, place.name, (frame) => look(place, frame), {
      attempts: 2,
      attemptTimeoutMs: 15_000,
      pauseMs: 100,
      pauseMsMax: 1_000,
    });
  return {
    preflight: (call) =>
      placeFindings(places, async (place) => findings(await patiently(place, call), place)),
    scan: (cursor, call) =>
      placeParts(
        places,
        cursor,
        async (place, frame) => {
          const found = await patiently(place, frame);
          const at = now();
          return { said: said(found, place, at), at };
        },
        call,
      ),
    close: async () => {},
  };
}

/** What is not seen, as warnings about the server that does not show it. */
export function gapFindings(code: string, gaps: readonly string[], subject?: string): Finding[] {
  const about = subject === undefined ? {} : { subject };
  return gaps.map((sentence) => ({ code, severity: "warn", ...about, sentence }));
}

/** Sessions of one account by one program from one address. */
export interface SessionsTold {
  readonly record: string;
  readonly issuer: string;
  readonly account: string;
  /** What the program calls itself; "" where it has no name. */
  readonly application: string;
  /** An address by which a consumer may claim it; null where there is none. */
  readonly address: string | null;
  /** From where, in words. */
  readonly where: string;
  /** What the sentence calls them; a session unless given. */
  readonly noun?: string;
  /** The server; absent where it is the only one. */
  readonly server?: string;
  readonly seen: Seen;
}

/** The claim about them. */
export function sessionsClaim(told: SessionsTold): Claim {
  const { record, issuer, account, application, address, where, noun = "session", server, seen } = told;
  const name = sessionName(application, where);
  const at = server === undefined ? "" : ` at ${server}`;
  const traits = {
    ...(application === "" ? {} : { applicationName: application }),
    ...(address === null ? {} : { address }),
  };
  return {
    record,
    known: "session",
    from: { is: "reader", name, traits },
    type: "uses",
    to: { is: "account", issuer, account, class: "service-account" },
    seen,
    sentence: `${seen.count} ${noun}${seen.count === 1 ? "" : "s"} as ${account}${at}, by ${name}.`,
  };
}
