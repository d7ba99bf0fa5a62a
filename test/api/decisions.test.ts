/** Decisions as anybody may send them: only the signature counts, and what does not count costs a rotation nothing. */
import { request } from "node:http";
import { connect } from "node:net";
import { expect, test } from "vitest";
import { takeDecision } from "../../client/api/decisions.js";
import { RekeyError } from "../../domain/errors.js";
import { openHouse } from "../workflows/house.js";
import { paper, signed } from "../workflows/people.js";
import { ended, eventually, stateOf, untilAsked } from "../workflows/watch.js";
import { type Door, openDoor, servicesOf } from "./door.js";

async function asked(quorum = 1, more: Parameters<typeof openDoor>[1] = {}) {
  const house = await openHouse({ quorum });
  const handle = await house.start();
  const state = await untilAsked(handle);
  const services = await servicesOf(house);
  return { house, handle, state, services, door: await openDoor(services, more) };
}

test("H7: forged, foreign, stale and unknown words are refused with the engine's reason", async () => {
  const { house, handle, state, door } = await asked();
  const good = await paper(house, state, "bob");
  const [head = "", body = "", end = ""] = good.split(".");
  const turned = Buffer.from(
    JSON.stringify({ ...JSON.parse(Buffer.from(body, "base64url").toString()), says: "reject" }),
  );
  const unsigned = Buffer.from('{"alg":"none"}').toString("base64url");
  const words: [string, string, RegExp][] = [
    ["no document", "approve, please", /not a signed document/],
    ["a forged signature", await paper(house, state, "bob", {}, "eve"), /None of the keys of bob/],
    ["a changed payload", [head, turned.toString("base64url"), end].join("."), /None of the keys of bob/],
    ["no signature", `${unsigned}.${body}.`, /None of the keys of bob/],
    ["somebody unknown", await paper(house, state, "bob", { person: "zoe" }), /knows no person zoe/],
    ["another nonce", await paper(house, state, "bob", { nonce: "run_other" }), /earlier run/],
    ["another plan", await paper(house, state, "bob", { digest: "0".repeat(64) }), /plan has changed/],
    ["another rotation", await paper(house, state, "bob", { rotation: "rot_other" }), /another rotation/],
    [
      "another installation",
      await paper(house, state, "bob", { installation: "inst_other" }),
      /installation/,
    ],
    ["an expired one", await paper(house, state, "bob", { expiresAt: Date.now() - 1 }), /expired/],
    ["one from the future", await paper(house, state, "bob", { issuedAt: Date.now() + 600_000 }), /future/],
    ["a stranger's", await paper(house, state, "cleo"), /cleo may not decide/],
    ["the requester's own", await paper(house, state, "eve"), /eve does not count/],
  ];
  for (const [what, document, reason] of words) {
    const { status, body: said } = await door.decide({ document });
    expect([status, said.code], what).toEqual([422, "decision-refused"]);
    expect(said.error, what).toMatch(reason);
    expect(Object.keys(said).sort()).toEqual(["code", "error", "hint"]);
  }
  expect((await stateOf(handle)).decisions).toEqual([]);
  expect(await door.decide({ document: good })).toMatchObject({ status: 200, body: { accepted: true } });
  expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
});

test("what is not signed by anybody here never reaches the rotation", async () => {
  const { house, handle, state, door } = await asked();
  const updates = async () => {
    const { events } = await handle.fetchHistory();
    return (events ?? []).filter((event) => event.workflowExecutionUpdateAcceptedEventAttributes).length;
  };
  const before = await updates();
  for (const document of ["a.b.c", await paper(house, state, "bob", {}, "eve")]) {
    expect((await door.decide({ document })).status).toBe(422);
  }
  expect(await updates()).toBe(before);
  // The same count does see one that is signed, and refused by the engine.
  expect((await door.decide({ document: await paper(house, state, "eve") })).status).toBe(422);
  expect(await updates()).toBe(before + 1);
});

test("twice is once: at the same time, one after the other, and after the end", async () => {
  const { house, handle, state, door } = await asked(2);
  const document = await paper(house, state, "ann");
  const answers = await Promise.all([1, 2, 3].map(() => door.decide({ document })));
  for (const { status, body } of answers) expect([status, body.accepted]).toEqual([200, true]);
  expect((await stateOf(handle)).decisions).toHaveLength(1);
  const used = await paper(house, state, "bob", { id: String(answers[0]?.body.id) });
  expect(await door.decide({ document: used })).toMatchObject({
    status: 422,
    body: { error: expect.stringContaining("used before") },
  });
  await door.decide({ document: await paper(house, state, "bob") });
  expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
  expect(await door.decide({ document })).toMatchObject({
    status: 200,
    body: { accepted: true, sentence: expect.stringContaining("as said before") },
  });
  const late = await paper(house, state, "dora");
  expect(await door.decide({ document: late })).toMatchObject({
    status: 409,
    body: { code: "already-closed" },
  });
});

test("where no worker answers the document is left for the rotation, which takes it in once one runs", async () => {
  const { house, handle, state, door } = await asked();
  await house.worker.stop();
  const { status, body } = await door.decide({ document: await paper(house, state, "ann") });
  expect([status, body.answered]).toEqual([202, false]);
  await house.startWorker();
  expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
});

test("a report of a leak is no decision, and goes another way", async () => {
  const { house, door } = await asked();
  const document = await signed("rashid", { installation: house.installation, says: "emergency" });
  expect(await door.decide({ document })).toMatchObject({ status: 400, body: { code: "bad-input" } });
});

test.each([
  ["no JSON", "approve"],
  ["another field", { document: "a.b.c", approve: true }],
  ["no document", {}],
  ["a number", { document: 7 }],
  ["a document longer than any", { document: "x".repeat(9_000) }],
])("refuses a body with %s, and quotes nothing of it", async (_, body) => {
  const { door } = await asked();
  const answer = await door.decide(body);
  expect(answer).toMatchObject({ status: 400, body: { code: "bad-input" } });
  expect(JSON.stringify(answer.body)).not.toMatch(/xxx|a\.b\.c/);
});

test("a body larger than any document is refused before it is read, announced or not", async () => {
  const { door, handle } = await asked();
  const large = JSON.stringify({ document: "x".repeat(1_000_000) });
  expect(await door.decide(large)).toMatchObject({ status: 413, body: { code: "bad-input" } });
  const status = await new Promise<number>((resolve, reject) => {
    const sending = request(
      `${door.url}/v1/decisions`,
      { method: "POST", headers: { "Transfer-Encoding": "chunked" } },
      (answer) => {
        resolve(answer.statusCode ?? 0);
        sending.destroy();
      },
    );
    sending.on("error", reject);
    for (let sent = 0; sent < 40; sent++) sending.write("x".repeat(1_000));
  });
  expect(status).toBe(413);
  expect((await stateOf(handle)).decisions).toEqual([]);
});

/** Sends this and then nothing; resolves with what came back once the server has hung up. */
function dribble(door: Door, text: string): Promise<string> {
  const { hostname, port } = new URL(door.url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(text));
    let back = "";
    socket.on("data", (chunk) => {
      back += chunk.toString();
    });
    socket.on("error", reject);
    socket.on("close", () => resolve(back));
  });
}

test("a sender that is too slow is cut off, in the head and in the body, and others are served meanwhile", async () => {
  const { door, handle } = await asked(1, {
    listen: { host: "127.0.0.1", port: 0, limits: { headMsMax: 400, requestMsMax: 800 } },
  });
  const head = "POST /v1/decisions HTTP/1.1\r\nHost: x\r\n";
  const slow = Promise.all([
    dribble(door, head),
    dribble(door, `${head}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"doc`),
  ]);
  expect((await door.get("/healthz")).status).toBe(200);
  for (const back of await slow) expect(back).toContain("408 Request Timeout");
  expect((await stateOf(handle)).decisions).toEqual([]);
});

test("decisions are limited for an address, and reads are not", async () => {
  // The clock stands still, so that no bucket fills while the test runs.
  const at = Date.now();
  const { house, state, door } = await asked(1, { decisionsPerMinute: 3, now: () => at });
  const statuses: number[] = [];
  for (let sent = 0; sent < 5; sent++) statuses.push((await door.decide({ document: "a.b.c" })).status);
  expect(statuses).toEqual([422, 422, 422, 429, 429]);
  const limited = await door.decide({ document: await paper(house, state, "ann") });
  expect(limited).toMatchObject({ status: 429, body: { code: "too-many" } });
  expect(limited.headers.get("retry-after")).toBe("10");
  expect((await door.get("/v1/credentials")).status).toBe(200);
});

test("a person is limited too, once it is known that they signed, and before the rotation hears of it", async () => {
  const { house, handle, state, services } = await asked();
  const admitted: string[] = [];
  const admit = (person: string) => {
    admitted.push(person);
    throw new RekeyError("too-many");
  };
  const forged = await paper(house, state, "ann", {}, "eve");
  await expect(takeDecision({ services, admit }, forged)).rejects.toMatchObject({ code: "decision-refused" });
  expect(admitted).toEqual([]);
  const signed = await paper(house, state, "ann");
  await expect(takeDecision({ services, admit }, signed)).rejects.toMatchObject({ code: "too-many" });
  expect(admitted).toEqual(["ann"]);
  expect((await stateOf(handle)).decisions).toEqual([]);
});

test("no line of the server holds anything that was sent", async () => {
  const { house, state, door } = await asked();
  const document = await paper(house, state, "ann");
  await door.decide({ document });
  await door.decide({ document: "canary-document" });
  await door.get("/v1/credentials/canary-name?canary=1", { Authorization: "Bearer canary-token" });
  await door.get("/v1/rotations/canary-id");
  await door.get("/v1/canary-route");
  const lines = await eventually("all lines", () => door.lines.length >= 5 && door.lines);
  expect(lines.join("\n")).not.toMatch(/canary|ann/);
  for (const part of [document, document.split(".")[1] ?? "", door.token]) {
    expect(lines.join("\n")).not.toContain(part);
  }
  expect(lines[0]).toMatch(/^POST \/v1\/decisions 200 \d+ ms$/);
});
