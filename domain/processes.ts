/**
 * What Rekey's own processes say of the keys that seal Temporal's payloads: who can open what, and who seals with
 * what. A key that one seals with and another cannot open leaves a rotation unreadable where that other one works.
 */
import type { Finding } from "./finding.js";

/** One process as it was last heard of. Keys are named by their ids. */
export interface ProcessSeen {
  /** Role, host, number and the end of its id: `worker app-1/4711 3f9a1c`. */
  readonly instance: string;
  readonly opens: readonly string[];
  readonly seals: string;
  /** How long ago it was heard of, in milliseconds. */
  readonly ageMs: number;
}

/** A process tells of itself this often, in milliseconds. */
export const tellEveryMs = 5_000;

/** One that has not told for so long, in milliseconds, may know other keys by now. */
export const toldAgeMsMax = 30_000;

/** One that has not told for so long, in milliseconds, has ended. Should it wake up, it reads its keys before it seals. */
export const goneAgeMs = 120_000;

/** What is wrong between the processes: a key in use that one of them cannot open, and more than one in use. */
export function codecFindings(processes: readonly ProcessSeen[]): Finding[] {
  const sealing = [...new Set(processes.map(({ seals }) => seals))].sort();
  const closed = processes.flatMap(({ instance, opens }) =>
    sealing
      .filter((id) => !opens.includes(id))
      .map((id) => {
        const sealer = processes.find(({ seals }) => seals === id)?.instance ?? "";
        const sentence = `${instance} cannot open what ${sealer} seals: it does not know the codec key ${id}.`;
        const hint = "Give every process all keys of REKEY_CODEC_KEYS; it reads them anew while it runs.";
        return { code: "codec-key-unknown", severity: "refuse" as const, sentence, hint, subject: instance };
      }),
  );
  const several = {
    code: "codec-keys-differ",
    severity: "warn" as const,
    sentence: `Processes seal with different codec keys: ${sealing.join(" and ")}.`,
    hint: "While a codec key is replaced that is so for a while; otherwise put the same key first everywhere.",
  };
  return [...closed, ...(sealing.length > 1 ? [several] : [])];
}
