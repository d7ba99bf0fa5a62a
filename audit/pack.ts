/**
 * An evidence pack: what the log says of a rotation, with the proofs that it is in the log and with what was
 * signed of the log. Whoever has the key verifies it without us and without a database.
 */
import { z } from "zod";
import { bodyOf } from "../domain/audit.js";
import { RekeyError } from "../domain/errors.js";
import { type Database, read } from "../inventory/database.js";
import { openCheckpoint } from "./checkpoint.js";
import { inclusionProofs } from "./consistency.js";
import { leafHash } from "./hash.js";
import { entriesOf } from "./log.js";
import { parseVerifier, type Verifier, verifierText } from "./note.js";
import { wrongOpenings } from "./openings.js";
import { includes } from "./proofs.js";

const packForm = "rekey-evidence/1";

const packSchema = z.object({
  form: z.literal(packForm),
  rotation: z.string(),
  /** The log's key as one line, `name+hash+key`. */
  key: z.string(),
  /** A signed note. */
  checkpoint: z.string(),
  entries: z.array(
    z.object({
      index: z.number().int().nonnegative(),
      id: z.string(),
      body: z.string(),
      openings: z.record(z.string(), z.object({ salt: z.string(), value: z.string() })),
      /** Hashes in base64, from the leaf upwards. */
      proof: z.array(z.string()),
    }),
  ),
});

/** The pack as it is written to a file. */
export type EvidencePack = z.infer<typeof packSchema>;

/** Makes the pack of a rotation's entries, proved in the log that `checkpoint` was signed for. Throws `not-found`. */
export async function makePack(
  log: Database,
  verifier: Verifier,
  checkpoint: string,
  rotation: string,
): Promise<EvidencePack> {
  const { size } = openCheckpoint(checkpoint, verifier);
  return read(log, async (tx) => {
    const entries = (await entriesOf(tx, rotation)).filter(({ index }) => index < size);
    if (entries.length === 0) {
      throw new RekeyError("not-found", `The audit log has no entry of rotation ${rotation}.`);
    }
    const indexes = entries.map(({ index }) => index);
    const proofs = await inclusionProofs(tx, indexes, size);
    return {
      form: packForm,
      rotation,
      key: verifierText(verifier),
      checkpoint,
      entries: entries.map(({ index, id, body, openings }, at) => ({
        index,
        id,
        body,
        openings: { ...openings },
        proof: (proofs[at] ?? []).map((hash) => hash.toString("base64")),
      })),
    };
  });
}

/** What a pack turned out to be. An empty `findings` means that all of it was in the log that the key signed. */
export interface PackVerified {
  readonly rotation: string;
  readonly origin: string;
  /** Entries of the log that the checkpoint was signed for. */
  readonly size: number;
  readonly entries: number;
  readonly findings: readonly string[];
}

/**
 * Verifies a pack with the key that is given, and not with the one in it: that one only says which key it would
 * be. Throws `bad-input` for what is no pack, `audit-broken` where the checkpoint is not the key's.
 */
export function verifyPack(given: unknown, key: string): PackVerified {
  const parsed = packSchema.safeParse(given);
  if (!parsed.success) {
    throw new RekeyError("bad-input", "The file is no evidence pack.", "`rekey audit export` writes one.");
  }
  const { rotation, checkpoint, entries } = parsed.data;
  const verifier = parseVerifier(key);
  const { size, root } = openCheckpoint(checkpoint, verifier);
  const findings: string[] = [];
  let before = -1;
  for (const { index, id, body, openings, proof } of entries) {
    const hashes = proof.map((text) => Buffer.from(text, "base64"));
    if (!includes({ index, size, root }, leafHash(body), hashes)) {
      findings.push(`Entry ${index} is not in the log that was signed.`);
      continue;
    }
    const told = bodyOf(body);
    if (told.id !== id || told.rotation !== rotation)
      findings.push(`Entry ${index} tells of something else.`);
    for (const field of wrongOpenings(told.id, body, openings)) {
      findings.push(`The personal field ${field} of entry ${index} is not what was committed to.`);
    }
    if (index <= before) findings.push(`Entry ${index} stands out of its order.`);
    before = index;
  }
  return { rotation, origin: verifier.name, size, entries: entries.length, findings };
}

/** The key that a pack names. Throws `bad-input` for what is no pack. */
export function keyInPack(given: unknown): string {
  const parsed = packSchema.pick({ form: true, key: true }).safeParse(given);
  if (parsed.success) return parsed.data.key;
  throw new RekeyError("bad-input", "The file is no evidence pack.", "`rekey audit export` writes one.");
}
