/**
 * Who a reader is: the consumer that claims what the reader shows of itself (`match` in the estate). Nobody is guessed at;
 * whom no consumer claims, or several do, stays a reader that has to be explained.
 */
import type { Match } from "../estate/types.js";
import { type Claimant, claimantsOf, type IsWithin, isClaimed } from "./claims.js";
import type { ReaderTraits } from "./said.js";

/** What is claimed, from what tells most to what tells least: an address is shared by whatever runs there. */
const claimed = [
  "entity",
  "role",
  "serviceAccount",
  "workload",
  "applicationName",
  "address",
  "host",
] as const satisfies readonly (keyof ReaderTraits & keyof Match)[];

type Trait = (typeof claimed)[number];

/** Whoever shows one of these is that and nobody else. */
const identifying: ReadonlySet<Trait> = new Set(["entity", "role"]);

/** Where a reader is. Who claims any of these means that it comes from one of them. */
const places = ["address", "host"] as const satisfies readonly Trait[];

/**
 * What speaks against a consumer that claims one trait and something else of another: another program on its machine is not
 * that consumer. Other pairs are shown by different sources, each in its own words.
 */
const vetoes: Readonly<Partial<Record<Trait, readonly Trait[]>>> = {
  serviceAccount: ["workload"],
  address: ["applicationName"],
  host: ["applicationName"],
};

/** How each of them is called in a sentence. */
const words: Readonly<Record<Trait, string>> = {
  entity: "entity",
  role: "role",
  serviceAccount: "service account",
  workload: "workload",
  applicationName: "application name",
  address: "address",
  host: "host",
};

const plurals = { address: "addresses", host: "hosts" } as const;

/** Who a reader is, and why. `consumer` is null where nobody knows. */
export interface Matched {
  readonly consumer: Claimant | null;
  readonly sentence: string;
}

/**
 * The consumer that claims the most telling of the reader's traits that anybody claims. An entity or a role that nobody
 * claims is nobody's, wherever it comes from. Who claims names and places (addresses, hosts) means both: whoever carries a
 * consumer's name and comes from none of its places, or does not show from where, is not that consumer. Where several are
 * left, what else it shows tells them apart; where it does not, it is nobody's. The sentence says why.
 */
export function matchReader(
  traits: ReaderTraits,
  consumers: readonly Claimant[],
  isWithin: IsWithin,
): Matched {
  for (const trait of claimed) {
    const shown = traits[trait];
    if (shown === undefined || shown === "") continue;
    const claimants = claimantsOf(consumers, trait, shown, isWithin);
    const what = `the ${words[trait]} ${shown}`;
    const [one, ...more] = claimants;
    if (one === undefined) {
      // It has said who it is. Where it comes from is where others are, too.
      if (identifying.has(trait)) return { consumer: null, sentence: `No consumer claims ${what}.` };
      continue;
    }
    const fitting = claimants.filter((claimant) => objection(claimant, trait, traits, isWithin) === null);
    const [first, ...others] = fitting;
    if (first === undefined) {
      const against = objection(one, trait, traits, isWithin);
      const rest = more.length === 0 ? "" : "; nor is it any of the others that claim that";
      return { consumer: null, sentence: `${one.name} claims ${what}, but not ${against}${rest}.` };
    }
    if (others.length === 0) return { consumer: first, sentence: `${first.name} claims ${what}.` };
    return apart(fitting, what, traits, isWithin);
  }
  const shown = claimed.flatMap((trait) => (traits[trait] ? [`the ${words[trait]} ${traits[trait]}`] : []));
  return {
    consumer: null,
    sentence:
      shown.length === 0 ? "It shows nothing of itself." : `No consumer claims ${shown.join(" or ")}.`,
  };
}

/** What speaks against the reader being a consumer which claims its `by`; null where nothing does. */
function objection({ match }: Claimant, by: Trait, traits: ReaderTraits, isWithin: IsWithin): string | null {
  const is = (trait: Trait) => isClaimed(match[trait] ?? [], trait, traits[trait] ?? "", isWithin);
  const isShown = (trait: Trait) => (traits[trait] ?? "") !== "";
  const claims = (trait: Trait) => (match[trait] ?? []).length > 0;
  const other = vetoes[by]?.find((trait) => isShown(trait) && claims(trait) && !is(trait));
  if (other !== undefined) return `the ${words[other]} ${traits[other]}`;
  const isProven = identifying.has(by);
  if (by !== "applicationName" && !isProven) return null;
  const wanted = places.filter(claims);
  if (wanted.length === 0 || places.some((trait) => isShown(trait) && is(trait))) return null;
  // A name can be given by anybody, so that it needs a place that is shown. Whoever has proven who they are does not.
  const elsewhere = (isProven ? wanted : places).find(isShown);
  if (elsewhere !== undefined) return `the ${words[elsewhere]} ${traits[elsewhere]}`;
  return isProven ? null : `without one of its ${wanted.map((trait) => plurals[trait]).join(" or ")}`;
}

/** Which of several that claim `what` it is: whoever claims the most of what it shows, where that is one alone. */
function apart(
  fitting: readonly Claimant[],
  what: string,
  traits: ReaderTraits,
  isWithin: IsWithin,
): Matched {
  const scored = fitting.map((consumer) => {
    const met = claimed.filter((trait) => {
      const [shown, claims] = [traits[trait] ?? "", consumer.match[trait] ?? []];
      return shown !== "" && isClaimed(claims, trait, shown, isWithin);
    });
    return { consumer, met };
  });
  const most = Math.max(...scored.map(({ met }) => met.length));
  const [first, ...others] = scored.filter(({ met }) => met.length === most);
  const names = fitting.map(({ name }) => name).join(" and ");
  if (first === undefined || others.length > 0)
    return { consumer: null, sentence: `${names} claim ${what}, so it is nobody's.` };
  const by = first.met.map((trait) => `the ${words[trait]} ${traits[trait]}`).join(" and ");
  return { consumer: first.consumer, sentence: `Of ${names} only ${first.consumer.name} claims ${by}.` };
}

/** What a session over a socket of the server's own machine has for a host, whatever the server calls that. */
export const socketHost = "local";

/** The traits of whoever comes from what a server shows: an IP address, the name of a host, or "" where it shows nothing. */
export function cameFrom(shown: string, isAddress: boolean): Pick<ReaderTraits, "address" | "host"> {
  if (shown === "") return {};
  return isAddress ? { address: shown } : { host: shown.toLowerCase() };
}

function whereText(shown: string): string {
  if (shown === "") return "an unknown address";
  return shown === socketHost ? "a socket of the server's machine" : shown.toLowerCase();
}

/**
 * What is called whoever has a session, by the name that its program gives itself ("" where it gives none) and what the server shows
 * of where it came from: a gate and a source that see one call it by one name, and two programs of one name at two addresses are two.
 */
export function sessionName(application: string, shown: string): string {
  return `${application === "" ? "a client without a name" : application} from ${whereText(shown)}`;
}

/**
 * What a reader that no consumer claims is called: its name, with whatever of its traits that does not say, so that two who
 * are different are called differently, and an exception for the one is none for the other. Of what a name ends with (`a of b`)
 * each trait is, too, that begins with it (`b c`): it is not said again.
 */
export function readerName(name: string, traits: ReaderTraits): string {
  const said = name.split(" ");
  const at = name.lastIndexOf(" of ");
  const within = at < 0 ? null : `${name.slice(at + " of ".length)} `;
  const unsaid = claimed.flatMap((trait) => {
    const shown = traits[trait] ?? "";
    const text = trait === "host" ? whereText(shown) : shown;
    return shown === "" || text.split(" ").every((word) => said.includes(word))
      ? []
      : [
          `${words[trait]} ${within !== null && shown.startsWith(within) ? shown.slice(within.length) : shown}`,
        ];
  });
  return unsaid.length === 0 ? name : `${name} (${unsaid.join(", ")})`;
}
