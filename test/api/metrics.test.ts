/** Figures for scrapers: the command line's own, in a text that Prometheus takes in, computed once for however many ask. */
import { expect, test } from "vitest";
import { kinds } from "../../adapters/registry.js";
import type { ApiOptions } from "../../client/api/start.js";
import { inventoryIn } from "../../client/cli/inventory.js";
import { RekeyError } from "../../domain/errors.js";
import type { Figure } from "../../domain/findings/metrics.js";
import { emptyWorld, runIn } from "../cli/fakes.js";
import { house, shapes, use } from "../inventory/findings-house.js";
import { newId, t0 } from "../inventory/world.js";
import { type Door, openDoor } from "./door.js";

/** A door whose inventory says how often figures were asked for, can be slow, and can be away. */
async function opened(more: Partial<ApiOptions> = {}) {
  const { db, apply, reading, open } = await house();
  await apply();
  await reading({ claims: [use] }, t0);
  await open(t0);
  const real = inventoryIn(db, { randomId: newId, shapes });
  const asked = { times: 0, before: async (): Promise<void> => undefined };
  const inventory = {
    ...real,
    metrics: async () => {
      asked.times += 1;
      await asked.before();
      return real.metrics();
    },
  };
  const services = { installation: "test", inventory } as unknown as ApiOptions["services"];
  return { asked, inventory: real, door: await openDoor(services, more) };
}

async function scrape(door: Door, headers: Record<string, string> = {}) {
  const response = await fetch(`${door.url}/metrics`, {
    headers: { Authorization: `Bearer ${door.token}`, ...headers },
  });
  return { status: response.status, type: response.headers.get("content-type"), text: await response.text() };
}

/** Samples by name and labels; every line has to be one that a scraper takes in, and every family told once. */
function samplesOf(text: string): Map<string, number> {
  const [end, last, ...lines] = text.split("\n").reverse();
  expect([end, last]).toEqual(["", "# EOF"]);
  const samples = new Map<string, number>();
  const families: string[] = [];
  let family = "";
  for (const line of lines.reverse()) {
    const [, helped] = /^# HELP ([a-z_]+) [^\\\n]+$/.exec(line) ?? [];
    if (helped !== undefined) {
      family = helped;
      families.push(family);
    } else if (line.startsWith("#")) expect(line).toBe(`# TYPE ${family} gauge`);
    else {
      const [, name, labels = "", value] =
        /^([a-z_]+)((?:\{[a-z]+="[a-z]+"(?:,[a-z]+="[a-z]+")*\})?) (-?[0-9]+(?:\.[0-9]+)?)$/.exec(line) ?? [];
      expect([line, name]).toEqual([line, family]);
      samples.set(`${name}${labels}`, Number(value));
    }
  }
  expect(new Set(families).size).toBe(families.length);
  return samples;
}

test("C31: each figure of the command line is there with its whole, and so are findings by how grave they are", async () => {
  const { door, inventory } = await opened();
  // The command looks first, and the door never: what it tells is what was found then.
  const { stdout } = await runIn(emptyWorld(), ["metrics", "--json"], { inventory, deps: { kinds } });
  const { status, type, text } = await scrape(door);
  expect([status, type]).toEqual([200, "text/plain; version=0.0.4; charset=utf-8"]);
  const samples = samplesOf(text);
  const { figures } = JSON.parse(stdout) as { readonly figures: readonly Figure[] };
  expect(figures).toHaveLength(11);
  const told = [...samples].filter(([name]) => name.endsWith("_of"));
  expect(told).toHaveLength(11);
  const numbers = (suffix: string) =>
    [...samples].flatMap(([name, value]) =>
      told.some(([of]) => of.replace(/_of$/, suffix) === name) ? [value] : [],
    );
  expect(numbers("")).toEqual(figures.map(({ numerator }) => numerator));
  expect(numbers("_of")).toEqual(figures.map(({ denominator }) => denominator));
  expect(numbers("_in_neither")).toEqual(figures.map(({ leftOut }) => leftOut));
  expect(samples.get("rekey_credentials_owned_of")).toBe(2);

  const { findings } = await inventory.findings({});
  const refusing = findings.filter(({ severity }) => severity === "refuse").length;
  expect(refusing).toBeGreaterThan(0);
  expect(samples.get('rekey_findings{severity="refuse",state="open"}')).toBe(refusing);
  expect(samples.get('rekey_findings{severity="refuse",state="excepted"}')).toBe(0);
  expect(samples.get("rekey_rotations_open")).toBe(0);
  expect(samples.get("rekey_figures_timestamp_seconds")).toBeGreaterThan(t0 / 1_000);
  // Nothing of the estate is in it: labels are words of ours, and there are as many of them as there are now.
  expect(samples.size).toBeLessThan(60);
  for (const name of ["orders-db", "payments", "psql", "sessions"]) expect(text).not.toContain(name);
});

test("whoever reads OpenMetrics gets the same as that", async () => {
  const { door } = await opened();
  const { type, text } = await scrape(door, {
    Accept: "application/openmetrics-text;version=1.0.0,text/plain;q=0.5",
  });
  expect(type).toBe("application/openmetrics-text; version=1.0.0; charset=utf-8");
  expect(samplesOf(text).size).toBeGreaterThan(33);
});

test("however many ask, the database is asked once, and not again while that is good", async () => {
  const { door, asked } = await opened({ scrapes: { goodForMs: 300_000, failedForMs: 0 } });
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  asked.before = () => held;
  const waiting = Array.from({ length: 20 }, () => scrape(door));
  await expect.poll(() => asked.times).toBe(1);
  release();
  const texts = new Set((await Promise.all(waiting)).map(({ text }) => text));
  expect([texts.size, (await scrape(door)).status, asked.times]).toEqual([1, 200, 1]);
});

test("what took long is good for longer, and a failure is asked about again soon", async () => {
  const clock = { now: t0 };
  const { door, asked } = await opened({
    now: () => clock.now,
    scrapes: { goodForMs: 30_000, failedForMs: 5_000 },
  });
  asked.before = async () => {
    throw new RekeyError("unreachable");
  };
  for (const [after, times] of [
    [0, 1],
    [4_999, 1],
    [1, 2],
  ] as const) {
    clock.now += after;
    expect([(await scrape(door)).status, asked.times]).toEqual([503, times]);
  }
  clock.now += 5_000;
  asked.before = async () => {
    clock.now += 20_000;
  };
  expect([(await scrape(door)).status, asked.times]).toEqual([200, 3]);
  clock.now += 9 * 20_000 - 1;
  expect([(await scrape(door)).status, asked.times]).toEqual([200, 3]);
  clock.now += 1;
  expect([(await scrape(door)).status, asked.times]).toEqual([200, 4]);
});

test("only a token reads, a line says that it was read, and a request has an end", async () => {
  const { door, asked } = await opened({ requestMsMax: 200 });
  expect((await scrape(door, { Authorization: "Bearer x" })).status).toBe(401);
  expect([(await scrape(door, { Authorization: "" })).status, asked.times]).toEqual([401, 0]);
  asked.before = () => new Promise<never>(() => undefined);
  const { status, text } = await scrape(door);
  expect([status, JSON.parse(text)]).toEqual([503, expect.objectContaining({ code: "unreachable" })]);
  expect(door.lines.map((line) => line.replace(/[0-9]+ ms$/, "ms"))).toEqual([
    ...["GET /metrics 401 ms", "GET /metrics 401 ms", "GET /metrics 503 ms"],
  ]);
});
