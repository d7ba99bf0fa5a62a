/** Reports of leaks: what is said, by whom, and that the value itself goes nowhere. */
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { newKey, readDocument, readKey, signDocument } from "../../client/documents.js";
import { RekeyError } from "../../domain/errors.js";
import { now, runIn, type World } from "./fakes.js";
import { signer } from "./signer.js";
import { idle, rotating, stateOf } from "./worlds.js";

const alice = signer();

const value = "s3cret-that-leaked";
/** SHA-256 of the report's own text, written out: reason, versions and containment, keys in order. */
const reportDigest = createHash("sha256")
  .update('{"containment":"revoke-now","form":"rekey-report/1","leaked":["old"],"reason":"secret"}')
  .digest("hex");
const asking = ["rotate", "orders-db", "--emergency", "--reason", "secret"];
const argv = [...asking, "--yes"];
const around = {
  env: {
    get REKEY_KEY() {
      return alice.key();
    },
  },
};
const mine = [{ version: "ver_1", credential: "crd_1" }];
const started = { start: () => ({ workflow: "rotate/crd_1", joined: false }), standing: () => "ended" };

function reportIn(world: World, method: string): Record<string, unknown> {
  const call = world.calls.find(([name]) => name === method);
  const report =
    method === "expedite" ? call?.[2] : (call?.[1] as Record<string, unknown> | undefined)?.emergency;
  return report as Record<string, unknown>;
}

test.each([
  ["rotate --emergency", asking],
  ["rotate --emergency --containment", [...asking, "--containment", "revoke-now"]],
  ["rotate --emergency --takeover", [...asking, "--takeover"]],
  ["expedite", ["expedite", "orders-db", "--reason", "secret"]],
  ["expedite --containment", ["expedite", "orders-db", "--reason", "secret", "--containment", "revoke-now"]],
])("%s does nothing before it has asked, and nothing after a no", async (_, words) => {
  const answers = {
    expedite: () => ({ accepted: true, sentence: "told" }),
    takeOver: () => ({ workflow: "rotate/crd_1/e2", joined: true }),
  };
  const world = rotating(stateOf(), {}, { answers });
  expect((await runIn(world, words, around)).code).toBe(2);
  expect((await runIn(world, words, { ...around, stdinTerminal: true, stdin: "n\n" })).code).toBe(1);
  const asked = world.calls.filter(([method]) => method !== "standing");
  expect(asked).toEqual([]);
  expect((await runIn(world, words, { ...around, stdinTerminal: true, stdin: "y\n" })).code).toBe(0);
  expect(world.calls.length).toBeGreaterThan(0);
});

test("H40: a value is hashed and dropped; only the hash goes on", async () => {
  const world = idle({ answers: started, matching: mine });
  const ran = await runIn(world, [...argv, "--value-from", "stdin"], { ...around, stdin: `${value}\n` });
  expect(ran.code).toBe(0);
  expect(reportIn(world, "start")).toMatchObject({ evidence: "hmac-of-18-characters", leaked: [] });
  expect(JSON.stringify([world.calls, ran])).not.toContain(value);
});

test("a value can come from a file", async () => {
  const file = alice.fresh();
  writeFileSync(file, value);
  const world = idle({ answers: started, matching: mine });
  await runIn(world, [...argv, "--value-from", file], around);
  expect(reportIn(world, "start")).toMatchObject({ evidence: "hmac-of-18-characters" });
});

test("of an address that is pasted the password is reported, where that is what matches, or what is likelier to be live", async () => {
  const address = `postgres://orders:${encodeURIComponent(`${value}/9`)}@db.example.com/orders`;
  const of = `hmac-of-${value.length + 2}-characters`;
  for (const matching of [[{ version: "ver_1", credential: "crd_1", of }], []]) {
    const world = idle({ answers: started, matching });
    const ran = await runIn(world, [...argv, "--value-from", "stdin"], { ...around, stdin: `${address}\n` });
    expect(ran.code).toBe(0);
    expect(reportIn(world, "start")).toMatchObject({ evidence: of });
    expect(ran.stderr).toContain(matching.length === 0 ? "matches no version" : "a known version's");
    expect(JSON.stringify([world.calls, ran])).not.toContain(value);
  }
  // The whole of it is a value of its own, where a version was made of it.
  const whole = `hmac-of-${address.length}-characters`;
  const world = idle({ answers: started, matching: [{ version: "ver_1", credential: "crd_1", of: whole }] });
  await runIn(world, [...argv, "--value-from", "stdin"], { ...around, stdin: address });
  expect(reportIn(world, "start")).toMatchObject({ evidence: whole });
  const other = idle({ answers: started, matching: [{ version: "ver_7", credential: "crd_7", of }] });
  const ran = await runIn(other, [...argv, "--value-from", "stdin"], { ...around, stdin: address });
  expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining("not of orders-db")]);
});

test("H40: a value on the command line is not taken for one, and not repeated", async () => {
  const ran = await runIn(idle({ answers: started }), [...argv, "--value-from", value], around);
  expect(ran.code).toBe(2);
  expect(ran.stderr).not.toContain(value);
});

test("a value of another credential is reported there", async () => {
  const world = idle({ answers: started, matching: [{ version: "ver_7", credential: "crd_7" }] });
  const ran = await runIn(world, [...argv, "--value-from", "stdin"], { ...around, stdin: value });
  expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining("not of orders-db")]);
  expect(world.calls).toEqual([]);
});

test.each([
  ["old", ["old"]],
  ["new", ["new"]],
  ["both", ["old", "new"]],
  ["unknown", "unknown"],
  [undefined, "unknown"],
])("leaked %s becomes %j", async (word, leaked) => {
  const world = idle({ answers: started });
  await runIn(world, [...argv, ...(word === undefined ? [] : ["--leaked", word])], around);
  expect(reportIn(world, "start")).toMatchObject({ leaked, evidence: null });
});

test("H37: a report is signed by the responder, for all that it orders, and joined by what another has signed", async () => {
  const file = alice.fresh();
  const { jwk } = await newKey("bob");
  const bobs = await signDocument(
    {
      form: "rekey-decision/1",
      installation: "inst",
      credential: "orders-db",
      rotation: "",
      nonce: "",
      digest: reportDigest,
      says: "emergency",
      person: "bob",
      issuedAt: now,
      expiresAt: now + 1,
      id: "doc_bob",
    },
    readKey(jwk),
  );
  writeFileSync(file, `${bobs}\n`);
  const world = idle({ answers: started });
  await runIn(world, [...argv, "--leaked", "old", "--containment", "revoke-now", "--document", file], around);
  const report = reportIn(world, "start");
  expect(report).toMatchObject({ reason: "secret", containment: "revoke-now" });
  const [mineSigned = "", theirs = ""] = report.documents as string[];
  expect(await alice.verified(mineSigned)).toMatchObject({
    says: "emergency",
    digest: reportDigest,
    person: "alice",
  });
  expect(readDocument(theirs).person).toBe("bob");
});

test("a report goes to the rotation that runs", async () => {
  const answers = { expedite: () => ({ accepted: true, sentence: "Emergency: 1 version." }) };
  const world = rotating(stateOf(), {}, { answers });
  const { stdout } = await runIn(world, [...argv, "--leaked", "old"], around);
  expect(stdout).toContain("Emergency: 1 version.");
  expect(reportIn(world, "expedite")).toMatchObject({ leaked: ["old"] });
});

test("a report takes over where the worker is lost, and only when told to", async () => {
  const silent = rotating(stateOf());
  const ran = await runIn(silent, [...argv, "--leaked", "old"], around);
  expect([ran.code, ran.stderr]).toEqual([5, expect.stringContaining("--takeover")]);
  const answers = { takeOver: () => ({ workflow: "rotate/crd_1/e2", joined: true }) };
  const world = rotating(stateOf(), {}, { answers });
  expect((await runIn(world, [...argv, "--leaked", "old", "--takeover"], around)).code).toBe(0);
  expect(world.calls.find(([method]) => method === "takeOver")?.[2]).toBe(2);
});

test("a report that does not count is said so at once, also by a workflow that refuses to open", async () => {
  const refusing = () => {
    throw new RekeyError("decision-refused", "The report needs 2 responders and has 1.");
  };
  const world = idle({
    answers: { start: () => ({ workflow: "rotate/crd_1", joined: false }), standing: refusing },
  });
  const ran = await runIn(world, [...argv, "--leaked", "old"], around);
  expect([ran.code, ran.stderr]).toEqual([3, expect.stringContaining("needs 2 responders")]);
});
