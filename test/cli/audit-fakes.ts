/** An audit log in memory for what commands print of it, and a key that is the same in every run. */
import { createPrivateKey, createPublicKey, sign } from "node:crypto";
import { signCheckpoint } from "../../audit/checkpoint.js";
import { leafHash } from "../../audit/hash.js";
import type { LoggedEntry } from "../../audit/log.js";
import { type Signer, verifierText } from "../../audit/note.js";
import type { EvidencePack } from "../../audit/pack.js";
import { Edge, rangeHash, tileKey } from "../../audit/tiles.js";
import { inclusionRanges } from "../../audit/tree.js";
import type { AuditDesk } from "../../client/cli/audit-desk.js";
import { type AuditRecord, auditEntryOf } from "../../domain/audit.js";
import { sha256Hex } from "../../inventory/hash.js";

const at = Date.UTC(2026, 6, 1, 9, 0, 0);
const about = { at, rotation: "rot_1" };

const records: readonly AuditRecord[] = [
  {
    ...about,
    kind: "opened",
    facts: { credential: "crd_1", epoch: 1, mode: "ordinary" },
    personal: { requestedBy: "olga", reason: "quarterly" },
  },
  {
    ...about,
    kind: "decision",
    facts: { decision: "doc_9", says: "approve" },
    personal: { person: "alice", owners: "orders-team" },
  },
  {
    ...about,
    kind: "intent",
    facts: { epoch: 1, change: 1, step: { do: "issue", version: "ver_2", slot: "orders_b" }, expects: {} },
  },
  { ...about, kind: "burned", facts: { decisions: ["doc_9"], change: 1 } },
  { ...about, kind: "outcome", facts: { epoch: 1, change: 1, outcome: "done", event: "issued" } },
  {
    ...about,
    kind: "incident",
    facts: { incident: "inc_1", matched: ["ver_1"] },
    personal: { reportedBy: "rashid", reason: "in a public log" },
  },
  { ...about, kind: "outcome", facts: { epoch: 1, change: 2, outcome: "not-done", code: "fenced" } },
  { ...about, kind: "closed", facts: { outcome: "rotated" } },
  { ...about, rotation: null, kind: "gap", facts: { entries: 1 } },
  {
    ...about,
    kind: "mismatch",
    facts: { place: "spool", entry: "aud_2", characters: 120, digest: "5f".repeat(32) },
    personal: { text: "what stood there" },
  },
];

/** The log's entries; of the decision, the name was forgotten. */
const loggedEntries: readonly LoggedEntry[] = records.map((record, index) => {
  const entry = auditEntryOf(record, `aud_${index}`, () => `salt-${index}`, sha256Hex);
  return { ...entry, index, openings: record.kind === "decision" ? {} : entry.openings };
});

const privateKey = createPrivateKey({
  key: Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), Buffer.alloc(32, 7)]),
  format: "der",
  type: "pkcs8",
});

/** The log's key. */
const fakeSigner: Signer = {
  name: "rekey-audit/inst",
  publicKey: Buffer.from(createPublicKey(privateKey).export({ format: "jwk" }).x ?? "", "base64url"),
  sign: async (message) => sign(null, message, privateKey),
};

function tree() {
  const edge = new Edge();
  for (const { body } of loggedEntries) edge.append(leafHash(body), () => undefined);
  const tiles = new Map(edge.tiles().map(({ level, number, hashes }) => [tileKey(level, number), hashes]));
  return { size: edge.size, root: edge.root(), tiles };
}

/** A real pack of that log. */
async function fakePack(): Promise<EvidencePack> {
  const { size, root, tiles } = tree();
  return {
    form: "rekey-evidence/1",
    rotation: "rot_1",
    key: verifierText(fakeSigner),
    checkpoint: await signCheckpoint({ size, root }, fakeSigner),
    entries: loggedEntries.slice(0, 8).map(({ index, id, body, openings }) => ({
      index,
      id,
      body,
      openings: { ...openings },
      proof: inclusionRanges(index, size).map((range) => rangeHash(tiles, range).toString("base64")),
    })),
  };
}

/** The desk of that log; `findings` are what a verification is to find. */
export function fakeDesk(findings: readonly string[] = []): AuditDesk {
  const { size, root } = tree();
  return {
    key: () => verifierText(fakeSigner),
    checkpoint: () => signCheckpoint({ size, root }, fakeSigner),
    verify: async (outside) => ({
      size,
      root: root.toString("base64"),
      checkpoints: 1 + outside.length,
      unsigned: findings.length > 0 ? 2 : 0,
      waiting: findings.length > 0 ? 3 : 0,
      spooled: findings.length > 0 ? 1 : 0,
      findings,
      told:
        findings.length > 0
          ? ["Entry 9 tells of another text under the id of entry aud_2, found in a worker's spool."]
          : [],
    }),
    entries: async (rotation) =>
      loggedEntries.filter(({ body }) => body.includes(`"rotation":"${rotation}"`)),
    pack: fakePack,
    forget: async () => 4,
  };
}
