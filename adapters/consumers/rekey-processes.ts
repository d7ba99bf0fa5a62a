/**
 * Rekey's own workers and servers as consumers of the keys that seal Temporal's payloads: what each of them opens and
 * seals with, as it told last (docs/kinds/rekey-processes.md). Nobody lists them, they tell by themselves.
 */
import { z } from "zod";
import { RekeyError } from "../../domain/errors.js";
import { type ProcessSeen, toldAgeMsMax } from "../../domain/processes.js";
import type { Call, Candidate, ConsumerKind, InstanceSeen, OwnCodec } from "../ports.js";
import { orWhenOver } from "../shared/retry.js";

const config = z.strictObject({
  shows: z
    .enum(["opening", "sealing"])
    .describe("`opening`: which keys each opens with. `sealing`: which one each seals with."),
});

/** Rekey's own processes. */
export const rekeyProcesses: ConsumerKind<typeof config> = {
  config,
  create: ({ shows }, { codec }) => ({
    preflight: async (call) => {
      const seen = await told(codec, call);
      const sentence = "No worker of Rekey tells which codec keys it knows.";
      return seen.length > 0 ? [] : [{ code: "no-process-tells", severity: "refuse", sentence }];
    },
    observe: async ({ candidates }, call) => {
      const seen = await told(codec, call);
      if (seen.length === 0) throw new RekeyError("unreachable", "No process of Rekey tells anything.");
      return seen.map((process) => instanceOf(process, shows, candidates));
    },
    close: async () => undefined,
  }),
};

function told(codec: OwnCodec, call: Call): Promise<readonly ProcessSeen[]> {
  const late = () => new RekeyError("unreachable", "The inventory did not say in time who tells what.");
  return orWhenOver(codec.processes(call), call.signal, late);
}

function instanceOf(
  { instance, opens, seals, ageMs }: ProcessSeen,
  shows: "opening" | "sealing",
  candidates: readonly Candidate[],
): InstanceSeen {
  const fresh = ageMs <= toldAgeMsMax;
  const named = (ids: readonly string[]) =>
    candidates.flatMap(({ version, publicName }) =>
      fresh && publicName !== undefined && ids.includes(publicName) ? [version] : [],
    );
  const [version = null] = named([seals]);
  const accepts = named(opens);
  const what =
    shows === "sealing"
      ? `seals with ${version ?? "none of these versions"}`
      : `opens with ${accepts.join(" and ") || "none of these versions"}`;
  const sentence = fresh
    ? `${instance} ${what}.`
    : `${instance} has told nothing for ${Math.round(ageMs / 1_000)} s.`;
  return shows === "sealing"
    ? { instance, version, working: fresh, sentence }
    : { instance, version: null, working: fresh, accepts, sentence };
}
