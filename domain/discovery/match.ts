/**
 * Who a reader is: the consumer that claims what the reader shows of itself (`match` in the estate). Nobody is guessed at;
 * whom no consumer claims, or several do, stays a reader that has to be explained.
 */
import type { Match } from "../estate/types.js";
import { type Claimant, claimantsOf, type IsWithin } from "./claims.js";
import type { ReaderTraits } from "./said.js";

/** What is claimed, from what tells most to what tells least: an address is shared by whatever runs there. */
const claimed = [
  "entity",
  "role",
  "serviceAccount",
  "workload",
  "applicationName",
  "address",
] as const satisfies readonly (keyof ReaderTraits & keyof Match)[];

/** Whoever shows one of these is that and nobody else. */
const identifying: ReadonlySet<string> = new Set(["entity", "role"]);

/** How each of them is called in a sentence. */
const words: Readonly<Record<(typeof claimed)[number], string>> = {
  entity: "entity",
  role: "role",
  serviceAccount: "service account",
  workload: "workload",
  applicationName: "application name",
  address: "address",
};

/** Who a reader is, and why. `consumer` is null where nobody knows. */
export interface Matched {
  readonly consumer: Claimant | null;
  readonly sentence: string;
}

/**
 * The consumer that claims the most telling of the reader's traits that anybody claims. An entity or a role that nobody
 * claims is nobody's, wherever it comes from. Where several claim that one, it is
 * nobody's: the sentence names them.
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
    const [first, ...others] = claimants;
    const what = `the ${words[trait]} ${shown}`;
    if (first === undefined) {
      // It has said who it is. Where it comes from is where others are, too.
      if (identifying.has(trait)) return { consumer: null, sentence: `No consumer claims ${what}.` };
      continue;
    }
    if (others.length === 0) return { consumer: first, sentence: `${first.name} claims ${what}.` };
    const names = claimants.map(({ name }) => name).join(" and ");
    return { consumer: null, sentence: `${names} claim ${what}, so it is nobody's.` };
  }
  const shown = claimed.flatMap((trait) => (traits[trait] ? [`${words[trait]} ${traits[trait]}`] : []));
  return {
    consumer: null,
    sentence:
      shown.length === 0 ? "It shows nothing of itself." : `No consumer claims ${shown.join(" or ")}.`,
  };
}

/**
 * What a reader whom nobody explains is called: its name, with whatever of its traits that does not say, so that two who
 * are different are called differently, and an exception for the one is none for the other.
 */
export function readerName(name: string, traits: ReaderTraits): string {
  const said = name.split(" ");
  const unsaid = claimed.flatMap((trait) => {
    const shown = traits[trait] ?? "";
    return shown === "" || shown.split(" ").every((word) => said.includes(word))
      ? []
      : [`${words[trait]} ${shown}`];
  });
  return unsaid.length === 0 ? name : `${name} (${unsaid.join(", ")})`;
}
