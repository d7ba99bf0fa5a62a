/** Owners who reach nothing but the API: they see the plan, check its digest themselves, and their signature does all that it does at the installation. */

import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openHouse } from "../workflows/house.js";
import { paper } from "../workflows/people.js";
import { ended, expectWorking, stateOf, untilAsked } from "../workflows/watch.js";
import { type Door, openDoor, runAs, servicesOf } from "./door.js";

test("a whole rotation is approved through the API by somebody who reaches nothing else", async () => {
  const house = await openHouse({ quorum: 2 });
  const handle = await house.start();
  const state = await untilAsked(handle);
  const door = await openDoor(await servicesOf(house));

  const shown = await runAs("ann", door, ["approve", "orders-db"]);
  expect(shown.code).toBe(2);
  expect(shown.stdout).toContain(state.plan?.digest);
  expect(shown.stdout).toContain("checkout, reports");
  expect(shown.stdout).toContain("asked for by eve: it is time");

  for (const person of ["ann", "bob"] as const) {
    const { code, stdout, stderr } = await runAs(person, door, ["approve", "orders-db", "--yes", "--json"]);
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      sent: [{ accepted: true, answered: true, sentence: `${person}: approve.` }],
    });
  }
  expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
  expectWorking(house);
  const again = await runAs("ann", door, ["approve", "orders-db", "--yes"]);
  expect(again).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("No rotation of orders-db is open"),
  });
});

test("a rejection through the API ends the rotation before anything was issued", async () => {
  const house = await openHouse({ quorum: 1 });
  const handle = await house.start();
  await untilAsked(handle);
  const door = await openDoor(await servicesOf(house));
  expect(await runAs("bob", door, ["reject", "orders-db", "--yes"])).toMatchObject({ code: 0 });
  expect(await ended(handle)).toMatchObject({ outcome: "refused" });
  expect(house.world.enabled()).toEqual(["orders_a"]);
});

test("a decision that was signed elsewhere is sent without a token, and refused ones come back with the reason", async () => {
  const house = await openHouse({ quorum: 1 });
  const handle = await house.start();
  const state = await untilAsked(handle);
  const door = await openDoor(await servicesOf(house), { tokens: [] });
  const file = join(tmpdir(), `rekey-${state.id}.jws`);
  await writeFile(file, `${await paper(house, state, "cleo")}\n`);
  const refused = await runAs("ann", door, ["approve", "orders-db", "--document", file]);
  expect(refused).toMatchObject({ code: 3, stderr: expect.stringContaining("cleo may not decide") });
  await writeFile(file, `${await paper(house, state, "ann")}\n`);
  expect(await runAs("ann", door, ["approve", "orders-db", "--document", file])).toMatchObject({ code: 0 });
  expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
  const unread = await runAs("ann", door, ["approve", "orders-db", "--yes"]);
  expect(unread).toMatchObject({ code: 3, stderr: expect.stringContaining("without a token") });
});

/** Somebody between the person and the server, who changes what is read. */
async function liar(door: Door, change: (text: string) => string): Promise<{ door: Door; posted: string[] }> {
  const posted: string[] = [];
  const server = createServer(async (request, response) => {
    const { method = "GET", url = "" } = request;
    if (method === "POST") posted.push(url);
    const headers = { Authorization: request.headers.authorization ?? "" };
    const answer = await fetch(`${door.url}${url}`, { method, headers });
    response.writeHead(answer.status, { "content-type": "application/json" });
    response.end(change(await answer.text()));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return { door: { ...door, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }, posted };
}

test("H7: a plan that was changed on its way is not signed, whatever in it was changed", async () => {
  const house = await openHouse({ quorum: 1 });
  const handle = await house.start();
  const state = await untilAsked(handle);
  const door = await openDoor(await servicesOf(house));
  const point = '"pointOfNoReturn":"destroy"';
  const changes: [string, (text: string) => string][] = [
    ["the point of no return", (text) => text.replaceAll(point, '"pointOfNoReturn":"disable"')],
    ["a consumer", (text) => text.replaceAll('"reversible":true', '"reversible":false')],
    ["who is asked", (text) => text.replaceAll('"approvers":["', '"approvers":["eve","')],
    ["a duration of the policy", (text) => text.replaceAll('"quietPeriodMs":20', '"quietPeriodMs":0')],
    ["the digest", (text) => text.replaceAll(state.plan?.digest ?? "", "0".repeat(64))],
    ["the rotation that it is for", (text) => text.replaceAll(state.nonce, "run_other")],
    ["its terms", (text) => text.replaceAll('"terms":', '"others":')],
  ];
  for (const [what, change] of changes) {
    const between = await liar(door, change);
    const { code, stderr } = await runAs("ann", between.door, ["approve", "orders-db", "--yes"]);
    expect([code, stderr], what).toEqual([
      3,
      expect.stringMatching(/is not the one that its digest|earlier version/),
    ]);
    expect(between.posted, what).toEqual([]);
  }
  const page = await liar(door, () => "<html>sign in</html>");
  expect(await runAs("ann", page.door, ["approve", "orders-db", "--yes"])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("is not a Rekey server"),
  });
  const honest = await liar(door, (text) => text);
  const { code, stdout } = await runAs("ann", honest.door, [
    "approve",
    "orders-db",
    "--yes",
    "--file",
    join(tmpdir(), `${state.id}.honest`),
  ]);
  expect(code, stdout).toBe(0);
  expect((await stateOf(handle)).decisions).toEqual([]);
});

test("the token goes to no address that others could read on the way", async () => {
  const house = await openHouse();
  const door = await openDoor(await servicesOf(house));
  for (const url of [
    "http://rekey.example.com",
    "ftp://127.0.0.1",
    "https://me:word@rekey.example.com",
    "rekey",
  ]) {
    const { code, stderr } = await runAs("ann", door, ["approve", "orders-db", "--server", url]);
    expect([code, stderr], url).toEqual([2, expect.stringContaining("server's address")]);
  }
});
