/**
 * The log as other implementations see it: github.com/transparency-dev/formats parses the checkpoints that the command
 * line prints, golang.org/x/mod, which checks Go's own checksum database, accepts our proofs, and we open what it signed. Built from tools/notes; needs Go, as its module is one.
 */
import { execFile } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { signLog } from "../../audit/checkpoints.js";
import { consistencyProof, inclusionProofs } from "../../audit/consistency.js";
import { openNote, parseVerifier, signNote, verifierText } from "../../audit/note.js";
import { auditDeskOf } from "../../client/cli/audit-desk.js";
import { tellAudit } from "../../inventory/audit-outbox.js";
import { read, transact } from "../../inventory/database.js";
import { findGo, goBuild, usualGoPlaces } from "../../worker/dev/go-build.js";
import { cacheFolder, projectRoot } from "../../worker/dev/places.js";
import { emptyWorld, runIn } from "../cli/fakes.js";
import { migratedDatabase } from "../inventory/database.js";
import { auditStore, keptLog } from "./keeper-world.js";
import { logWorld, record } from "./world.js";

interface Answer {
  readonly error?: string;
  readonly size: number;
  readonly proved: number;
  readonly key?: string;
  readonly note?: string;
}

let program = "";

beforeAll(async () => {
  const go = await findGo(process.env, usualGoPlaces);
  if (go === undefined) throw new Error("this test needs Go 1.24 or later, on PATH or where it is usually");
  const folder = join(cacheFolder(process.env), "bin");
  mkdirSync(folder, { recursive: true });
  program = join(folder, `notes-${process.pid}`);
  await goBuild(go, join(projectRoot(), "tools", "notes"), ".", program, process.env, () => undefined);
});

afterAll(() => rmSync(program, { force: true }));

/** Asks the outside program. */
function asked(request: object): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const child = execFile(program, { maxBuffer: 64 * 1024 * 1024 }, (error, stdout) => {
      if (error) reject(error);
      else resolve(JSON.parse(stdout) as Answer);
    });
    child.stdin?.end(JSON.stringify(request));
  });
}

const base64 = (hashes: readonly Buffer[]) => hashes.map((hash) => hash.toString("base64"));

it("I9: checkpoints, inclusion and consistency proofs verify with golang.org/x/mod", async () => {
  const { log, signer, grow, sql } = await logWorld();
  await grow(300);
  const former = await signLog(log, signer, [], 1);
  await grow(417);
  const checkpoint = await signLog(log, signer, [], 2);
  const indexes = [0, 1, 255, 256, 511, 512, 700, 716];
  const rows = await sql<{ index: string; body: string }>("select index, body from rekey_audit.entries");
  const proofs = await read(log, (tx) => inclusionProofs(tx, indexes, 717));
  const consistency = base64(await read(log, (tx) => consistencyProof(tx, 300, 717)));
  const key = verifierText(signer);
  const entries = indexes.map((index, at) => ({
    index,
    text: rows.find((row) => Number(row.index) === index)?.body ?? "",
    proof: base64(proofs[at] ?? []),
  }));
  expect(await asked({ key, checkpoint, former, consistency, entries })).toEqual({ size: 717, proved: 9 });

  // It would say so if they were not right.
  const changed = entries.map((entry) => ({ ...entry, text: entry.text.replace("done", "not-done") }));
  expect(await asked({ key, checkpoint, entries: changed })).toMatchObject({
    error: expect.any(String),
    proved: 0,
  });
  const moved = entries.map((entry) => ({ ...entry, index: entry.index + 1 }));
  expect(await asked({ key, checkpoint, entries: moved })).toMatchObject({
    error: expect.any(String),
    proved: 0,
  });
  expect(await asked({ key, checkpoint: checkpoint.replace("\n717\n", "\n716\n") })).toMatchObject({
    error: expect.stringContaining("invalid signature"),
  });
  expect(await asked({ key, checkpoint, former, consistency: [...consistency].reverse() })).toMatchObject({
    error: expect.any(String),
  });
});

it("I9: what `rekey audit checkpoint` and `rekey audit key` print is a checkpoint to the library of logs and witnesses", async () => {
  const { db } = await migratedDatabase();
  const store = await auditStore();
  const kept = keptLog(db, store.url);
  const desk = auditDeskOf({ ...kept, db, now: async () => 1, forgetAfterMs: 1 });
  const printed = async (what: string) => (await runIn(emptyWorld({ audit: desk }), ["audit", what])).stdout;
  await transact(db, (tx) => tellAudit(tx, ...Array.from({ length: 5 }, (_, n) => record(n))));
  const former = await printed("checkpoint");
  await transact(db, (tx) => tellAudit(tx, record(5), record(6)));
  const checkpoint = await printed("checkpoint");
  const key = (await printed("key")).trimEnd();
  const consistency = base64(await read(kept.log, (tx) => consistencyProof(tx, 5, 7)));
  expect(await asked({ key, checkpoint, former, consistency })).toEqual({ size: 7, proved: 1 });

  // What is signed well and is no checkpoint is refused by the library, and not only by us.
  for (const text of [
    checkpoint.replace("\n7\n", "\nseven\n"),
    checkpoint.replace("\n7\n", "\n"),
    checkpoint.replace(/^.*\n/, "rekey-audit/other\n"),
  ]) {
    const note = await signNote(text.slice(0, text.indexOf("\n\n") + 1), kept.signer);
    expect(await asked({ key, checkpoint: note })).toMatchObject({ error: expect.any(String), size: 0 });
  }
});

it("a note that golang.org/x/mod signed is opened with its key, and not when a letter is another", async () => {
  const text = "outside.example/log\n7\nKqYtl+FVxvbsPGbLDSYxIcg6TgoFTmgcdlsYT7wWbXw=\n";
  const { key = "", note = "" } = await asked({ sign: text });
  const verifier = parseVerifier(key);
  expect(verifierText(verifier)).toBe(key);
  expect(openNote(note, verifier)).toBe(text);
  expect(openNote(note.replace("\n7\n", "\n8\n"), verifier)).toBeNull();
  expect(openNote(note, { ...verifier, name: "other.example/log" })).toBeNull();
  expect(() => parseVerifier(key.replace("+", "0+"))).toThrow("no key of a signed note");
});
