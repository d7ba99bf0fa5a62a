/**
 * The Dockerfile, as far as it can be checked without Docker: what it copies exists and reaches the build,
 * what it runs is what the project runs, and it ends as a user who is not root.
 */

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { readSources } from "../tidy/sources.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const read = (path: string): string => readFileSync(root + path, "utf8");
const instructions = read("Dockerfile")
  .replaceAll(/^#.*\n/gm, "")
  .replaceAll(/\\\n\s*/g, " ")
  .split("\n")
  .filter((line) => line !== "")
  .map((line) => {
    const at = line.indexOf(" ");
    return { name: line.slice(0, at), text: line.slice(at + 1) };
  });
const texts = (name: string): string[] =>
  instructions.filter((one) => one.name === name).map((one) => one.text);

describe("the Dockerfile", () => {
  test("has several stages, all on the Node that the set-up pins", () => {
    const pin = /^node_pin=(.*)$/m.exec(read("scripts/setup.sh"))?.[1];
    const images = texts("FROM");
    expect(images.length).toBeGreaterThan(1);
    for (const image of images) expect(image).toMatch(new RegExp(`^node:${pin}-[a-z]+-slim( AS \\w+)?$`));
  });

  test("ends as a user who is not root, and starts rekey", () => {
    const last = instructions.findLastIndex((one) => one.name === "FROM");
    const stage = instructions.slice(last);
    const user = stage.filter((one) => one.name === "USER").at(-1)?.text ?? "root";
    expect(user).not.toMatch(/^(root|0)$/);
    expect(
      stage.some((one) => one.name === "RUN" && one.text.includes(`useradd`) && one.text.includes(user)),
    ).toBe(true);
    expect(texts("ENTRYPOINT")).toEqual(['["rekey"]']);
    const { bin } = JSON.parse(read("package.json"));
    expect(stage.some((one) => one.text.includes(`ln -s /rekey/${bin.rekey} /usr/local/bin/rekey`))).toBe(
      true,
    );
  });

  test("takes no development or optional package into the last stage", () => {
    const installs = texts("RUN").filter((text) => text.includes("npm ci"));
    expect(installs.at(-1)).toMatch(/npm ci .*--omit=dev --omit=optional/);
    expect(texts("RUN")).toContain("scripts/build.sh");
    expect(texts("COPY")).toContain("--from=modules /rekey/node_modules node_modules");
  });

  test("is given every file that the build reads, and nothing that is not listed", () => {
    const lines = read(".dockerignore")
      .split("\n")
      .filter((line) => line !== "");
    expect(lines[0]).toBe("*");
    const given = new Set(lines.slice(1).map((line) => line.replace(/^!/, "")));
    const built = readSources(root)
      .map((source) => source.path)
      .filter((path) => path.includes("/") && !path.startsWith("test/"));
    const folders = new Set(built.map((path) => path.split("/")[0] ?? ""));
    expect([...folders].filter((name) => !given.has(name))).toEqual([]);
    const copied = texts("COPY")
      .filter((text) => !text.startsWith("--from") && text !== ". .")
      .flatMap((text) => text.split(" ").slice(0, -1));
    expect(copied.filter((name) => !given.has(name))).toEqual([]);
    for (const name of [".env", "deploy", "node_modules", ".git"]) expect(given.has(name)).toBe(false);
  });
});
