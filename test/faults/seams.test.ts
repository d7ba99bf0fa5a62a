/**
 * What the harness rests on: that no outside call goes round the seam, that the product has no seam at all, and
 * that the points of the matrix come from the code.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Comment, parseSync } from "oxc-parser";
import { expect, test } from "vitest";
import { readSources, type Source } from "../tidy/sources.js";
import { asking, kindOfCall } from "./seam/points.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const product = readSources(root).filter(({ path }) => !path.startsWith("test/"));

/** Places in the product's code, comments left out. */
function placesOf(pattern: RegExp, sources: readonly Source[] = product): string[] {
  return sources.filter(({ text, path }) => pattern.test(codeOf(path, text))).map(({ path }) => path);
}

function codeOf(path: string, text: string): string {
  const comments: readonly Comment[] = parseSync(path, text).comments;
  return comments.reduce(
    (rest, { start, end }) => rest.slice(0, start) + " ".repeat(end - start) + rest.slice(end),
    text,
  );
}

test("the product starts its worker without anything in between", () => {
  const starts = placesOf(/\bstartWorker\(/).sort();
  expect(starts).toEqual(["bin/processes.ts", "worker/up.ts", "worker/worker.ts"]);
  const withSecond = product.filter(
    ({ path, text }) => path !== "worker/worker.ts" && /\bstartWorker\([^()]*(\([^()]*\))?[^()]*,/.test(text),
  );
  expect(withSecond.map(({ path }) => path)).toEqual([]);
  expect(placesOf(/\bBetween\b|\bbetween\?/)).toEqual(["worker/audit.ts", "worker/worker.ts"]);
  expect(product.filter(({ imports }) => imports.some((path) => path.startsWith("test/")))).toEqual([]);
});

test("adapters are made in one place, from the kinds that the worker was given", () => {
  const makers = placesOf(/\b\w*[kK]inds?\w*(?:\(.*\))?\)?\.create\(/);
  expect(makers).toEqual(["worker/systems.ts"]);
  expect(placesOf(/\bkinds(?: as \w+)?\b[^;]*from "\.\.\/adapters\/registry\.js"/)).toContain(
    "worker/systems.ts",
  );
});

test("only the inventory's one file talks to its database, and only adapters to anything else", () => {
  const room = (name: string) => product.filter(({ path }) => path.startsWith(`${name}/`));
  const users = room("inventory").filter(({ packages }) => packages.includes("pg"));
  expect(users.map(({ path }) => path)).toEqual(["inventory/database.ts"]);
  expect(placesOf(/\.connect\(\)/, [...room("inventory"), ...room("audit")])).toEqual([
    "inventory/database.ts",
  ]);
  const outgoing = /^(pg|node:(net|tls|http|https|dns|child_process|fs|fs\/promises)|node-vault)$/;
  const bypassing = ["activities", "domain", "workflows"].flatMap((name) =>
    room(name).filter(({ packages }) => packages.some((used) => outgoing.test(used))),
  );
  expect(bypassing.map(({ path }) => path)).toEqual([]);
  expect(placesOf(/\bfetch\(/, room("activities"))).toEqual([]);
});

/** Methods of an interface of the ports: whether each gives its promise under a call's frame. */
function methodsOf(port: string): { name: string; outside: boolean }[] {
  const text = readFileSync(`${root}adapters/ports.ts`, "utf8");
  const body = new RegExp(`^export interface ${port} \\{\\n(.*?)^\\}`, "ms").exec(text)?.[1] ?? "";
  const methods = body.matchAll(/^ {2}(\w+)\??\(((?:[^()]|\([^()]*\))*)\): (.+);$/gm);
  return [...methods].map(([, name = "", parameters = ""]) => ({
    name,
    outside: /\bcall: Call\b/.test(parameters),
  }));
}

const ports = {
  issuer: "Issuer",
  store: "Store",
  consumer: "Consumer",
  source: "Source",
  notifier: "Notifier",
};

test("every method of a port that goes outside carries a call's frame, by which the seam knows it", () => {
  const inside = Object.values(ports).flatMap((port) =>
    methodsOf(port).flatMap(({ name, outside }) => (outside ? [] : [`${port}.${name}`])),
  );
  // Reading a document, making a value and hanging up change nothing outside.
  expect(inside).toEqual([
    "Issuer.slotOf",
    "Issuer.generate",
    "Issuer.close",
    "Store.close",
    "Consumer.close",
    "Source.close",
  ]);
});

test("a method that nobody has said to be a mere look is tried as a change", () => {
  const changes = Object.entries(ports).flatMap(([port, name]) =>
    methodsOf(name)
      .filter(({ outside, name: method }) => outside && kindOfCall(`${port}.${method}`) === "change")
      .map(({ name: method }) => `${port}.${method}`),
  );
  expect(changes).toEqual(
    expect.arrayContaining([
      ...[
        "issuer.mint",
        "issuer.enable",
        "issuer.disable",
        "issuer.destroy",
        "issuer.seize",
        "consumer.deliver",
      ],
      ...["store.stage", "store.promote", "store.seize", "store.purge", "notifier.notify"],
    ]),
  );
  expect(kindOfCall("issuer.somethingNew")).toBe("change");
  const methods = new Set(
    Object.entries(ports).flatMap(([port, name]) =>
      methodsOf(name).map((method) => `${port}.${method.name}`),
    ),
  );
  expect([...asking].filter((call) => !methods.has(call))).toEqual(["engine.resolve"]);
});
