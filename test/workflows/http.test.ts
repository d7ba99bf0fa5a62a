/**
 * A key at a provider that bears one, end to end: the plan says who breaks and from where on there is no way back, the
 * consumers fail for as long as that takes and not for longer, and whatever goes wrong after the mint leads forward.
 */
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import type { Preview } from "../../domain/rotation/work.js";
import { accountWith, described, type HttpWorld, httpWorld, unused } from "../contract/issuers/http-world.js";
import { testEngine } from "../support/engine.js";
import { type Compiled, compile } from "../support/programs.js";
import type { Ready, Stretch } from "./http-service.js";
import { openRealHouse, quickPolicy, type RealHouse } from "./real-house.js";
import { cancel, ended, eventually, stateOf } from "./watch.js";

const service = "test/workflows/http-service";
let scenes = 0;

let provider: HttpWorld;
let programs: Compiled;

beforeAll(async () => {
  [provider, programs] = await Promise.all([httpWorld(), compile([service])]);
});
afterAll(() => Promise.all([provider.close(), programs.close()]));

interface Scene {
  readonly house: RealHouse;
  /** The value that was there before. */
  readonly old: string;
  readonly rolls: () => Promise<number>;
  readonly live: () => Promise<Record<string, string>>;
  /** Everything that the store keeps. */
  readonly kept: () => Promise<string>;
  /** What each consumer was answered, to the end. */
  readonly stop: () => Promise<Stretch[][]>;
  readonly seen: () => Promise<Stretch[][]>;
}

/** The key and its consumers as they are before Rekey: a value that somebody made by hand, in a file. */
async function openScene(): Promise<Scene> {
  await provider.faults({});
  scenes += 1;
  const old = `val_that-was-there-before-${scenes}`;
  const folder = await mkdtemp(join(provider.folder, "scene-"));
  const [secrets, staging] = [join(folder, "secrets"), join(folder, "staging")];
  await Promise.all([secrets, staging].map((each) => mkdir(each, { mode: 0o700 })));
  const file = join(secrets, "mail.json");
  await writeFile(file, JSON.stringify({ username: "key-1", password: old }));
  const hash = createHash("sha256").update(old).digest("hex");
  const token = await provider.put(accountWith([unused("key-1", { status: "active", hash })]));
  const engine = await testEngine("here");
  engine.secrets.set("env:ADMIN", token);
  const consumers = ["checkout", "reports"];
  const started = await Promise.all(
    consumers.map((CONSUMER) =>
      programs.start<Ready>(service, {
        STORE_FILE: file,
        PROVIDER: provider.url,
        ENGINE_JWK: JSON.stringify(engine.publicKey),
        CREDENTIAL: "mail",
        CONSUMER,
      }),
    ),
  );
  onTestFinished(async () => {
    await Promise.all(started.map((each) => each.stop()));
  });
  const at = (path: string) =>
    Promise.all(
      started.map(async ({ ready }) => (await (await fetch(`${ready.url}${path}`)).json()) as Stretch[]),
    );
  const { enable: _enable, ...description } = described(provider.url, "label", folder);
  const house = await openRealHouse(
    {
      stores: { files: { kind: "file", directory: secrets, stagingDirectory: staging } },
      issuers: { provider: { kind: "http", ...description } },
      policies: { quick: quickPolicy },
      consumers: Object.fromEntries(
        consumers.map((name, i) => {
          const attest = { kind: "http-attest", instances: [started[i]?.ready.url] };
          return [name, { owner: "payments", observe: [attest], deliver: attest }];
        }),
      ),
      credentials: {
        mail: {
          issuer: "provider",
          account: { keys: ["key-1"] },
          store: "files",
          place: { path: "mail.json" },
          owner: "payments",
          policy: "quick",
          class: "api-key",
          purpose: "Mail of the shop is sent with it.",
          consumers: consumers.map((consumer) => ({ consumer })),
        },
      },
    },
    engine.deps,
  );
  return {
    house,
    old,
    rolls: async () => (await provider.account(token)).keys.find(({ id }) => id === "key-1")?.rolls ?? -1,
    live: async () => JSON.parse(await readFile(file, "utf8")),
    kept: async () => {
      const files = await readdir(folder, { recursive: true, withFileTypes: true });
      const texts = files
        .filter((entry) => entry.isFile())
        .map((entry) => readFile(join(entry.parentPath, entry.name), "utf8"));
      return (await Promise.all(texts)).join("\n");
    },
    stop: () => at("/stop"),
    seen: () => at("/"),
  };
}

const letsIn = async (value: string) =>
  (await fetch(`${provider.url}/v1/me`, { headers: { "x-api-key": value } })).status === 200;

test("H29: the plan says who breaks and where there is no way back, and they break for that long", async () => {
  const scene = await openScene();
  const { house } = scene;
  const preview = await house.ask<Preview>("preview", [{ credential: house.credential }]);
  expect(preview.findings.filter(({ severity }) => severity === "refuse")).toEqual([]);
  expect(preview.findings.map(({ code }) => code)).toContain("no-overlap");
  expect(preview.forecast.breaks[0]).toBe(
    "Old and new are never valid together: checkout, reports fail until the new one is taken up.",
  );
  expect(preview.plan?.pointOfNoReturn).toBe("issue");
  expect(preview.sentences.filter((sentence) => sentence.includes("point of no return"))).toEqual([
    "Issue a new version in key-1, in the place of the present one: this is the point of no return; prove it by logging in at every node.",
  ]);
  expect(preview.sentences).toContain(
    "Prove that every node refuses the present version, which is gone since the issue; whoever holds it fails until told.",
  );
  expect(await scene.rolls()).toBe(0);

  const handle = await house.start();
  expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
  const { target, plan, irreversible } = await stateOf(handle);
  expect([plan?.pointOfNoReturn, irreversible]).toEqual(["issue", true]);
  await eventually("each works on the new one", async () =>
    (await scene.seen()).every((stretches) => stretches.at(-1)?.ok && stretches.at(-1)?.version === target),
  );
  for (const stretches of await scene.stop()) {
    // One outage, with the old one only; before it and after it every call went through.
    const shapes = stretches.map(({ version, ok }) => `${version === target ? "new" : "old"} ${ok}`);
    expect(["old true,old false,new true", "old true,new true"]).toContain(shapes.join());
    process.stdout.write(
      `    calls: ${stretches.map(({ ok, calls }) => `${calls} ${ok ? "ok" : "refused"}`).join(", ")}\n`,
    );
  }
  const { password = "" } = await scene.live();
  expect([await letsIn(scene.old), await letsIn(password)]).toEqual([false, true]);
  expect(await scene.rolls()).toBe(1);
  expect(await scene.kept()).not.toContain(scene.old);
});

test("H29: before the mint it goes back, and no consumer has noticed", async () => {
  const scene = await openScene();
  await provider.faults({ at: "/roll", refuse: 409 });
  const asked = (await provider.seen()).requests.length;
  const handle = await scene.house.start();
  await eventually("the mint is refused", async () =>
    (await provider.seen()).requests.slice(asked).some((request) => request.endsWith("/roll")),
  );
  await cancel(handle);
  // Until the refused mint is settled there may be something to walk back from; afterwards nothing was ever made.
  expect(["went-back", "refused"]).toContain((await ended(handle)).outcome);
  expect((await stateOf(handle)).irreversible).toBe(false);
  for (const stretches of await scene.stop()) expect(stretches.map(({ ok }) => ok)).not.toContain(false);
  expect(await scene.rolls()).toBe(0);
  expect((await scene.live()).password).toBe(scene.old);
});

test("H11 H27 H38: after it only forward: a lost answer is settled by another mint, and the old one is tried until it is refused", async () => {
  const scene = await openScene();
  // The provider goes on accepting what it has replaced, until it is told to stop.
  await provider.faults({ at: "/roll", lose: "after", slow: true });
  const handle = await scene.house.start();
  await eventually("the first value is lost", async () => (await scene.rolls()) === 1);
  await cancel(handle);
  const { trouble } = await eventually("the old one is tried and still let in", async () => {
    const state = await stateOf(handle).catch(() => null);
    return state?.trouble?.step.startsWith("probe") && state;
  });
  expect(trouble).toMatchObject({
    code: "proof-failed",
    sentence: expect.stringContaining("let it in as key-1"),
  });
  await provider.faults({});
  expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
  const { objections, target } = await stateOf(handle);
  // By whichever comes first: the cancelling, which turns it back for a moment, or the loss, after which it is an objection.
  expect(objections).toEqual([expect.stringMatching(/(cancelled|ann): not today$/)]);
  expect(await scene.rolls()).toBe(2);
  await eventually("each works on the new one", async () =>
    (await scene.seen()).every((stretches) => stretches.at(-1)?.ok && stretches.at(-1)?.version === target),
  );
  for (const stretches of await scene.stop())
    expect(stretches.filter(({ ok, version }) => !ok && version === target)).toEqual([]);
  const { password = "" } = await scene.live();
  expect([await letsIn(scene.old), await letsIn(password)]).toEqual([false, true]);
  expect(await scene.kept()).not.toContain(scene.old);
});
