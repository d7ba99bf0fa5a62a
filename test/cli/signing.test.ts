/** What people sign: by whom, for what, and that nobody but them could have. */
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { beforeEach, describe, expect, test } from "vitest";
import { newKey, readKey, signDocument } from "../../client/documents.js";
import type { DocumentPayload } from "../../domain/documents.js";
import { objectionTo } from "../../domain/documents.js";
import { Secret } from "../../domain/secret.js";
import { now, runIn, type World } from "./fakes.js";
import { signer } from "./signer.js";
import { amendment, idle, moving, plan, rotating, stateOf } from "./worlds.js";

const alice = signer();

const accepts = { decide: () => ({ accepted: true, sentence: "alice: approve." }) };

function sentDocuments(world: World): string[] {
  return world.calls.filter(([method]) => method === "decide").map(([, , document]) => String(document));
}

describe("keygen", () => {
  test("keeps the private half in a file that only its owner can read, and prints the public one", async () => {
    const out = alice.fresh();
    const { stdout, stderr } = await runIn(idle(), ["keygen", "--as", "bob", "--out", out]);
    expect(statSync(out).mode & 0o777).toBe(0o600);
    const { d, x, kid } = JSON.parse(readFileSync(out, "utf8")) as { d: string; x: string; kid: string };
    expect(kid).toBe("bob");
    expect(stdout).toContain(`- ed25519:${x}`);
    expect(stdout + stderr).not.toContain(d);
  });

  test("never writes over a key", async () => {
    const before = readFileSync(alice.key(), "utf8");
    const { code, stderr } = await runIn(idle(), ["keygen", "--as", "alice", "--out", alice.key()]);
    expect(code).toBe(2);
    expect(stderr).toContain("is left as it is");
    expect(readFileSync(alice.key(), "utf8")).toBe(before);
  });

  test("needs to know who it is for", async () => {
    const { code, stderr } = await runIn(idle(), ["keygen", "--out", alice.fresh()]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("REKEY_PERSON")]);
  });

  test("puts the key where approve looks for it", async () => {
    const env = { XDG_CONFIG_HOME: alice.fresh(), REKEY_PERSON: "alice" };
    await runIn(idle(), ["keygen"], { env });
    const world = rotating(stateOf(), {}, { answers: accepts });
    expect((await runIn(world, ["approve", "orders-db", "--yes"], { env })).code).toBe(0);
    expect(sentDocuments(world)).toHaveLength(1);
  });
});

describe("approve", () => {
  const argv = ["approve", "orders-db", "--yes"];
  let env: Record<string, string>;
  beforeEach(() => {
    env = { REKEY_KEY: alice.key() };
  });

  test("H7: signs the shown plan for this installation, rotation and run, once, and until the policy's date", async () => {
    const world = rotating(stateOf(), {}, { answers: accepts });
    const { code, stdout } = await runIn(world, argv, { env });
    expect(code).toBe(0);
    expect(stdout).toContain(plan.digest);
    const payload = await alice.verified(sentDocuments(world)[0] ?? "");
    expect(payload).toEqual({
      form: "rekey-decision/1",
      installation: "inst",
      credential: "orders-db",
      rotation: "rot_1",
      nonce: "run_1",
      digest: plan.digest,
      says: "approve",
      person: "alice",
      issuedAt: now,
      expiresAt: now + 7 * 86_400_000,
      id: "doc_1",
    });
    const expected = { installation: "inst", rotation: "rot_1", nonce: "run_1", digests: [plan.digest] };
    expect(objectionTo(payload, expected, now)).toBeNull();
    // The document's id is the message's, so that a repetition is one message.
    expect(world.calls.find(([method]) => method === "decide")?.[3]).toBe("doc_1");
  });

  test("H17: signs the plan and each amendment by its own digest", async () => {
    const world = rotating(stateOf({ amendments: [amendment] }), {}, { answers: accepts });
    const { stdout } = await runIn(world, argv, { env });
    const payloads = await Promise.all(sentDocuments(world).map(alice.verified));
    expect(payloads.map(({ digest }) => digest)).toEqual([plan.digest, amendment.digest]);
    expect(new Set(payloads.map(({ id }) => id)).size).toBe(2);
    expect(stdout).toContain("Amendment 1");
  });

  test("H17: what the person has agreed to is not asked again, what was added since is", async () => {
    const world = rotating(moving({ amendments: [amendment] }), {}, { answers: accepts });
    await runIn(world, argv, { env });
    const payloads = await Promise.all(sentDocuments(world).map(alice.verified));
    expect(payloads.map(({ digest }) => digest)).toEqual([amendment.digest]);
  });

  test("a plan that has its signatures from others asks nobody more", async () => {
    const [decision] = moving().decisions;
    const decisions = decision === undefined ? [] : [{ ...decision, person: "bob" }];
    const world = rotating(moving({ decisions }), {}, { answers: accepts });
    expect((await runIn(world, argv, { env })).stdout).toBe("Nothing waits for your signature.\n");
  });

  test("says so when nothing waits, and signs nothing", async () => {
    const world = rotating(moving(), {}, { answers: accepts });
    const { code, stdout } = await runIn(world, argv, { env });
    expect([code, stdout]).toEqual([0, "Nothing waits for your signature.\n"]);
    expect(sentDocuments(world)).toEqual([]);
  });

  test("asks on a terminal, and signs nothing after a no", async () => {
    const world = rotating(stateOf(), {}, { answers: accepts });
    const asked = await runIn(world, argv.slice(0, 2), { env, stdinTerminal: true, stdin: "no\n" });
    expect(asked.code).toBe(1);
    expect(asked.stderr).toContain("Sign as alice: approve this? [y/N]");
    expect(sentDocuments(world)).toEqual([]);
    await runIn(world, argv.slice(0, 2), { env, stdinTerminal: true, stdin: "y\n" });
    expect(sentDocuments(world)).toHaveLength(1);
  });

  test("H7: leaves the document for the rotation when nobody answers", async () => {
    const world = rotating(stateOf(), {}, { answers: { decideLater: () => undefined } });
    const { code, stdout } = await runIn(world, argv, { env });
    expect(code).toBe(0);
    expect(stdout).toContain("Nobody answered.");
    const [, workflow, document] = world.calls.find(([method]) => method === "decideLater") ?? [];
    expect(workflow).toBe("rotate/crd_1");
    expect(await alice.verified(String(document))).toMatchObject({ says: "approve" });
  });

  test("ends with 3 when the decision does not count", async () => {
    const refuses = { decide: () => ({ accepted: false, sentence: "alice may not decide on this." }) };
    const { code, stderr } = await runIn(rotating(stateOf(), {}, { answers: refuses }), argv, { env });
    expect([code, stderr]).toEqual([3, expect.stringContaining("alice may not decide on this.")]);
  });

  test("signs on one machine and sends from another", async () => {
    const file = alice.fresh();
    const there = rotating(stateOf());
    expect((await runIn(there, [...argv, "--file", file], { env })).code).toBe(0);
    expect(there.calls.map(([method]) => method)).not.toContain("decide");
    const here = rotating(stateOf(), {}, { answers: accepts });
    expect((await runIn(here, ["approve", "orders-db", "--document", file])).code).toBe(0);
    expect(await alice.verified(sentDocuments(here)[0] ?? "")).toMatchObject({ says: "approve" });
  });

  test("sends nothing that is no document", async () => {
    const file = alice.fresh();
    writeFileSync(file, "eyJhbGciOiJub25lIn0.e30.\n");
    const world = rotating(stateOf(), {}, { answers: accepts });
    expect((await runIn(world, ["approve", "orders-db", "--document", file])).code).toBe(2);
    expect(sentDocuments(world)).toEqual([]);
  });

  test("refuses a key that others can read", async () => {
    const open = alice.fresh();
    writeFileSync(open, readFileSync(alice.key()));
    chmodSync(open, 0o644);
    const { code, stderr } = await runIn(rotating(), [...argv, "--key", open]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(`chmod 600 ${open}`)]);
  });

  test("refuses to sign for somebody else", async () => {
    const { code, stderr } = await runIn(rotating(), [...argv, "--as", "bob"], { env });
    expect([code, stderr]).toEqual([2, expect.stringContaining("cannot sign for bob")]);
  });

  test("quotes nothing of a file that is no key", async () => {
    const file = alice.fresh();
    writeFileSync(file, '{"d":"hunter2', { mode: 0o600 });
    const { code, stderr } = await runIn(rotating(), [...argv, "--key", file]);
    expect(code).toBe(2);
    expect(stderr).not.toContain("hunter2");
  });
});

test("reject signs the newest plan, also one that has its signatures", async () => {
  const world = rotating(moving({ amendments: [amendment] }), {}, { answers: accepts });
  await runIn(world, ["reject", "orders-db", "--yes"], { env: { REKEY_KEY: alice.key() } });
  const payloads = await Promise.all(sentDocuments(world).map(alice.verified));
  expect(payloads.map(({ digest, says }) => [digest, says])).toEqual([[amendment.digest, "reject"]]);
});

test("confirm signs the consumer's id, and knows its name only", async () => {
  const world = rotating(moving(), {}, { answers: accepts });
  const env = { REKEY_KEY: alice.key() };
  await runIn(world, ["confirm", "orders-db", "partner-portal", "--yes"], { env });
  expect(await alice.verified(sentDocuments(world)[0] ?? "")).toMatchObject({
    says: "confirm",
    consumer: "con_3",
    version: moving().target,
  });
  const wrong = await runIn(world, ["confirm", "orders-db", "partner-porta", "--yes"], { env });
  expect(wrong.stderr).toContain('Did you mean "partner-portal"?');
});

test("confirm of what was not delivered says when it may be", async () => {
  const early = { decide: () => ({ accepted: false, sentence: "It was not delivered yet." }) };
  const world = rotating(moving(), {}, { answers: { ...accepts, ...early } });
  const env = { REKEY_KEY: alice.key() };
  const { stderr, code } = await runIn(world, ["confirm", "orders-db", "partner-portal", "--yes"], { env });
  expect(code).toBe(3);
  expect(stderr).toMatch(/It was not delivered yet\.[\s\S]*hint: `rekey status orders-db` shows/);
});

test("sign-off shows what was done, and signs it for an ended rotation too", async () => {
  const unsigned = [
    {
      id: "inc_1",
      credential: "crd_1",
      rotation: "rot_1",
      reason: "in a public log",
      reportedBy: "bob",
      at: now - 60_000,
      matched: ["old"],
      signOffBy: now + 60_000,
      signedOffAt: null,
      signedOffWith: null,
    },
  ];
  const answers = { signOff: () => ({ accepted: true, sentence: "alice: sign-off." }) };
  const closed = { closedAt: now - 1_000, outcome: "rotated" as const };
  const world = rotating(moving({ closed: "rotated" }), closed, { unsigned, answers });
  const { code, stderr } = await runIn(world, ["sign-off", "orders-db", "--yes"], {
    env: { REKEY_KEY: alice.key() },
  });
  expect(code).toBe(0);
  expect(stderr).toContain("bob: in a public log");
  const [, credential, document] = world.calls.find(([method]) => method === "signOff") ?? [];
  expect(credential).toBe("crd_1");
  expect(await alice.verified(String(document))).toMatchObject({ says: "sign-off", rotation: "rot_1" });
});

test("a document of somebody else's key cannot be made", async () => {
  const { jwk } = await newKey("bob");
  const payload = { person: "alice" } as DocumentPayload;
  await expect(signDocument(payload, readKey(jwk))).rejects.toThrow("cannot sign for alice");
});

test("a key prints as a secret wherever it ends up by accident", async () => {
  const { jwk } = await newKey("bob");
  const { d } = JSON.parse(jwk.reveal()) as { d: string };
  expect(JSON.stringify(readKey(jwk))).not.toContain(d);
  expect(() => readKey(new Secret('{"kty":"RSA"}'))).toThrow("private Ed25519 key");
  expect(existsSync(alice.key())).toBe(true);
});
