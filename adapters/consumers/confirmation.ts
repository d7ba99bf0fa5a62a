/**
 * A consumer that no program can see into: a vendor's portal, a device in a cabinet. A person looks, and says
 * so in a signed document, which was verified before it gets here.
 */
import { z } from "zod";
import { duration } from "../../domain/estate/duration.js";
import type { AdapterDeps, Confirmation, Consumer, ConsumerKind, ObserveRequest } from "../ports.js";

const config = z.strictObject({
  who: z
    .string()
    .min(1)
    .max(200)
    .describe("Who has to look and confirm, as it is said to people: `the network team, on the firewall`."),
  maxAge: duration({ positive: true })
    .optional()
    .describe("How long a confirmation holds; absent: as long as the rotation."),
});

type Config = z.output<typeof config>;

/** The one instance that such a consumer has. */
const instance = "person";

/** A person's signed word. Nothing moves by itself, so the consumer should be declared `reversible: false`. */
export const confirmation: ConsumerKind<typeof config> = {
  config,
  create: (settings, deps) => createConfirmation(settings, deps),
};

function createConfirmation(settings: Config, deps: AdapterDeps): Consumer {
  return {
    preflight: async () => [],
    async observe(request) {
      const latest = latestOf(request);
      if (latest === undefined) return [silent(`${settings.who} has to confirm which version is in use.`)];
      if (settings.maxAge !== undefined && deps.now() - latest.at > settings.maxAge) {
        return [silent(`The confirmation is too old: ${settings.who} has to confirm again.`)];
      }
      const { version } = latest;
      if (!request.candidates.some((candidate) => candidate.version === version)) {
        return [
          silent(`What was confirmed has no part in this rotation: ${settings.who} has to look again.`),
        ];
      }
      const sentence = `It was confirmed that ${version} is in use and works.`;
      return [{ instance, version, working: true, sentence }];
    },
    close: async () => {},
  };
}

/** The newest word counts: whoever moved it back says so, too. */
function latestOf({ consumer, confirmations }: ObserveRequest): Confirmation | undefined {
  return confirmations
    .filter((entry) => entry.consumer === consumer)
    .reduce<Confirmation | undefined>(
      (best, entry) => (best && best.at >= entry.at ? best : entry),
      undefined,
    );
}

/**
 * Nobody's word is no sign that it holds anything, and none that it fails either: called failing, such a consumer
 * would keep its own wave from beginning, and could never be asked (H39).
 */
function silent(sentence: string) {
  return { instance, version: null, working: true, sentence };
}
