/**
 * Sources that ask servers who is connected: each server is looked at with the same patience, and what was seen there is told
 * in the same words, whatever protocol it came by.
 */
import { isIP } from "node:net";
import { count } from "../../domain/count.js";
import { cameFrom, sessionName } from "../../domain/discovery/match.js";
import type { Claim } from "../../domain/discovery/said.js";
import type { Finding } from "../../domain/finding.js";
import type { AdapterDeps, Call, Source } from "../ports.js";
import { pause, retryRead } from "./retry.js";
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

/** A login takes milliseconds: so often, and so many milliseconds apart, it is looked again for whoever is in the middle of one. */
const again = { looksMax: 8, pauseMs: 250 };

/** Everybody whom the looks at a server have seen. */
export interface Met<One> {
  readonly sessions: readonly One[];
  /** Who was there at first and has not said to the end as whom they log in. */
  readonly loggingIn: readonly One[];
}

/**
 * Looks at a server, and again for about two seconds while somebody is there who has not said yet as whom they log in: of them
 * nobody can say whose they are, and a busy server always has some. Who comes later is the next reading's. `id` tells a session
 * from every other one of the server. Throws `unreachable` where the call ends first; `what` names the server.
 */
export async function lookUntilKnown<One extends { readonly id: string }>(
  look: () => Promise<readonly One[]>,
  isLoggingIn: (session: One) => boolean,
  what: string,
  call: Call,
): Promise<Met<One>> {
  const known = new Map<string, One>();
  const meet = async () => {
    const [late, said] = split(await look(), isLoggingIn);
    for (const session of said) known.set(session.id, session);
    return late;
  };
  let loggingIn = await meet();
  for (let looks = 0; looks < again.looksMax && loggingIn.length > 0; looks++) {
    await pause(again.pauseMs, call, what);
    const still = new Set((await meet()).map(({ id }) => id));
    loggingIn = loggingIn.filter(({ id }) => still.has(id));
  }
  return { sessions: [...known.values()], loggingIn };
}

function split<T>(list: readonly T[], is: (one: T) => boolean): [T[], T[]] {
  return [list.filter(is), list.filter((one) => !is(one))];
}

/** The gap that is left of whoever is still logging in at the server `place`: none, or one sentence. */
export function loggingInGaps(late: number, place: string): string[] {
  return late === 0 ? [] : [`At ${place} ${late} sessions had not said yet as whom they log in.`];
}

/** What is not seen, as warnings about the server that does not show it. */
export function gapFindings(code: string, gaps: readonly string[], subject?: string): Finding[] {
  const about = subject === undefined ? {} : { subject };
  return gaps.map((sentence) => ({ code, severity: "warn", ...about, sentence }));
}

/** A session, as a server shows it. */
export interface Session {
  readonly account: string;
  /** What the program calls itself; "" where it has no name. */
  readonly application: string;
  /** Where it comes from: an IP address, the name of a host, `local` for a socket of the server's machine, or "" where that is not shown. */
  readonly from: string;
  /** Since when it is there, in milliseconds since the epoch on our clock; absent where the server does not tell. */
  readonly beganAt?: number;
}

/** Where sessions were seen, and when, in milliseconds since the epoch. */
export interface SeenAt {
  readonly record: string;
  readonly issuer: string;
  /** What a sentence calls one of them; a session unless given. */
  readonly noun?: string;
  /** The server; absent where it is the only one. */
  readonly server?: string;
  readonly at: number;
}

/** The claims about sessions: those of one account by one program from one place are one reader. */
export function sessionsClaims(sessions: readonly Session[], seen: SeenAt): Claim[] {
  const groups = Map.groupBy(sessions, ({ account, application, from }) =>
    JSON.stringify([account, application, from]),
  );
  return [...groups.values()].flatMap((group) => claimOf(group, seen));
}

function claimOf(
  group: readonly Session[],
  { record, issuer, noun = "session", server, at }: SeenAt,
): Claim[] {
  const [one] = group;
  if (one === undefined) return [];
  const { account, application, from } = one;
  const name = sessionName(application, from);
  const on = server === undefined ? "" : ` at ${server}`;
  const traits = {
    ...(application === "" ? {} : { applicationName: application }),
    ...cameFrom(from, isIP(from) !== 0),
  };
  return [
    {
      record,
      known: "session",
      from: { is: "reader", name, traits },
      type: "uses",
      to: { is: "account", issuer, account, class: "service-account" },
      seen: {
        first: group.reduce((first, { beganAt = at }) => Math.min(first, beganAt), at),
        last: at,
        count: group.length,
      },
      sentence: `${count(group.length, noun)} as ${account}${on}, by ${name}.`,
    },
  ];
}
