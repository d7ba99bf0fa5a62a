/**
 * Before the old version is taken away the sources are read once more: whoever only fetched it, and has no session, is on no
 * map that was drawn before. On a real PostgreSQL, with a source of the user's own.
 */
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { ScanReport } from "../../domain/discovery/report.js";

import { type Reasons, reasonsQuery } from "../../workflows/messages.js";
import { clientOf, database, postgresWorld } from "../contract/issuers/postgres-world.js";
import { ordersApi } from "./orders-api.js";
import { openRealHouse, quickPolicy } from "./real-house.js";
import { ended, eventually } from "./watch.js";

async function shop() {
  const world = await postgresWorld();
  onTestFinished(() => world.stop());
  const account = await world.account();
  const [first = ""] = account.logins;
  const { host, port } = world.server;
  const password = "a-password-of-before";
  await world.superuser.query(
    `ALTER ROLE ${account.group} NOLOGIN; ALTER ROLE ${first} LOGIN PASSWORD '${password}'`,
  );
  const folder = await mkdtemp(join(tmpdir(), "rekey-reading-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const [secrets, staging] = [join(folder, "secrets"), join(folder, "staging")];
  for (const each of [secrets, staging]) await mkdir(each, { mode: 0o700 });
  const file = join(secrets, "orders.json");
  await writeFile(file, JSON.stringify({ username: first, password }), { mode: 0o600 });

  // A log that only a command of the user's can read; each reading leaves a line.
  const [said, readings, command] = ["said", "readings", "read.sh"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  await writeFile(command, `#!/bin/sh\necho >> ${readings}\nexec cat ${said}\n`);
  await chmod(command, 0o700);
  let cursor = 0;
  let gaps: readonly string[] = [];
  const log = async (...readers: string[]) => {
    const claims = readers.map((name) => ({
      claim: {
        ...{ record: "log", known: "read", type: "uses", sentence: "The log has it." },
        from: { is: "reader", name, traits: { applicationName: name } },
        to: { is: "account", issuer: "orders", account: account.group },
        seen: { first: Date.now(), last: Date.now(), count: 1 },
      },
    }));
    const lines = [...claims, ...gaps.map((gap) => ({ gap }))];
    cursor += 1;
    await writeFile(
      said,
      [...lines, { cursor: String(cursor) }].map((line) => `${JSON.stringify(line)}\n`).join(""),
    );
  };
  await log("orders-api");
  const lacking = async (...sentences: string[]) => {
    gaps = sentences;
    await log("orders-api");
  };

  const server = { host, port, database, login: { username: "rekey_a", password: "env:ENGINE" } };
  const raw = (more: object = {}) => ({
    stores: { files: { kind: "file", directory: secrets, stagingDirectory: staging } },
    issuers: { orders: { kind: "postgres", ...server } },
    sources: { log: { kind: "command", command: [command], owner: "payments" } },
    policies: { quick: { ...quickPolicy, stallTimeout: "10m" } },
    consumers: {
      "orders-api": {
        owner: "payments",
        match: { applicationName: ["orders-api"] },
        observe: [{ kind: "postgres-sessions", ...server, applicationName: "orders-api" }],
      },
    },
    credentials: {
      "orders-db": {
        ...{ issuer: "orders", account, store: "files", place: { path: "orders.json" }, owner: "payments" },
        ...{ policy: "quick", class: "service-account", purpose: "The orders service logs in with it." },
        consumers: [{ consumer: "orders-api" }],
        ...more,
      },
    },
  });
  const house = await openRealHouse(raw(), world.deps());
  const change = (more: object) => house.apply(raw(more));
  const withoutSources = () => house.apply({ ...raw(), sources: {} });
  /** Has the log read by another command, which says that there is nobody. */
  const otherwise = async () => {
    const blind = `${command}.blind`;
    await writeFile(blind, `#!/bin/sh\necho '{"cursor":"1"}'\n`);
    await chmod(blind, 0o700);
    await house.apply({
      ...raw(),
      sources: { log: { kind: "command", command: [blind], owner: "payments" } },
    });
  };
  ordersApi(async () => JSON.parse(await readFile(file, "utf8")), { host, port });
  const login = () => clientOf({ host, port, database, user: first, password });
  const count = async () => (await readFile(readings, "utf8")).length;
  const read = () => house.ask<ScanReport>("discover", ["log"]);
  return { house, log, lacking, change, withoutSources, otherwise, login, count, read, command };
}

/** That somebody answers for one finding for a month. */
const excepting = (finding: string, about: string, reason: string) => ({
  exceptions: [
    {
      ...{ finding, about, owner: "payments", reason },
      until: new Date(Date.now() + 30 * 86_400_000).toISOString(),
    },
  ],
});

test("H21: whoever fetched the old value after the map was drawn is found before it is taken away, and named", async () => {
  const { house, log, change, login, count, read } = await shop();
  expect(await read()).toMatchObject({ failure: null, claims: 1 });
  // It reads today; the source was read a moment ago, and the next time would be next week.
  await log("orders-api", "nightly-export");
  const handle = await house.start();
  const state = () => handle.query<Reasons>(reasonsQuery);
  await eventually("it is read once more", async () => (await count()) > 1);
  await eventually("the reader is found", async () =>
    (await state()).findings.some(
      ({ code, subject }) => code === "unmapped-reader" && subject === "nightly-export",
    ),
  );
  // Both are valid: nothing was taken from anybody.
  await (await login()).end();
  await change(excepting("unmapped-reader", "nightly-export", "It is retired today."));
  expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
  await expect(login()).rejects.toMatchObject({ code: expect.stringMatching(/^28/) });
}, 120_000);

test("H21: while a source cannot be read the old version stays, and it is said why", async () => {
  const { house, login, count, read, command } = await shop();
  expect(await read()).toMatchObject({ failure: null, claims: 1 });
  const text = await readFile(command, "utf8");
  await writeFile(command, text.replace("exec cat", "exit 3; exec cat"));
  const handle = await house.start();
  const state = () => handle.query<Reasons>(reasonsQuery);
  await eventually("it was tried", async () => (await count()) > 1);
  await eventually("it is said", async () =>
    (await state()).findings.some(
      ({ code, severity, sentence }) =>
        code === "last-reading" && severity === "refuse" && sentence.includes("it is read once more"),
    ),
  );
  await (await login()).end();
  await writeFile(command, text);
  expect(await read()).toMatchObject({ failure: null });
  expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
  await expect(login()).rejects.toMatchObject({ code: expect.stringMatching(/^28/) });
}, 180_000);

test("H21: a last reading in which a server could not be asked is none: both versions stay, and it is said which", async () => {
  const { house, lacking, change, login, count, read } = await shop();
  expect(await read()).toMatchObject({ failure: null, claims: 1 });
  await lacking("The server logs-2 could not be asked.");
  const handle = await house.start();
  const state = () => handle.query<Reasons>(reasonsQuery);
  await eventually("it was read", async () => (await count()) > 1);
  await eventually("it is said", async () =>
    (await state()).findings.some(
      ({ code, severity, subject, sentence }) =>
        code === "last-reading" &&
        severity === "refuse" &&
        subject === "log" &&
        sentence.includes("The server logs-2 could not be asked."),
    ),
  );
  await (await login()).end();
  // It may be asked again, and what was not seen of the quiet time stays unseen until somebody answers for that.
  await lacking();
  expect(await read()).toMatchObject({ failure: null });
  await (await login()).end();
  await change(excepting("last-reading", "log", "It has no reader."));
  expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
  await expect(login()).rejects.toMatchObject({ code: expect.stringMatching(/^28/) });
}, 120_000);

test.each([
  ["is taken out of the estate", "withoutSources", "has left the estate"],
  ["is told to read otherwise", "otherwise", "is set to read otherwise now"],
] as const)(
  "H17 H21: a source that %s while the rotation runs takes no gate with it",
  async (_, how, said) => {
    const { house, change, login, count, read, command, ...world } = await shop();
    expect(await read()).toMatchObject({ failure: null, claims: 1 });
    const text = await readFile(command, "utf8");
    await writeFile(command, text.replace("exec cat", "exit 3; exec cat"));
    const handle = await house.start();
    const state = () => handle.query<Reasons>(reasonsQuery);
    await eventually("it was tried", async () => (await count()) > 1);
    await world[how]();
    await eventually("it is said", async () =>
      (await state()).findings.some(
        ({ code, severity, subject, sentence }) =>
          code === "last-reading" && severity === "refuse" && subject === "log" && sentence.includes(said),
      ),
    );
    await (await login()).end();
    await writeFile(command, text);
    await change({});
    expect(await read()).toMatchObject({ failure: null });
    expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
    await expect(login()).rejects.toMatchObject({ code: expect.stringMatching(/^28/) });
  },
  180_000,
);
