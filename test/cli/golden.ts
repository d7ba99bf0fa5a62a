/** Golden files: what a command prints, kept as text that people can read in a review. `UPDATE_GOLDEN=1` writes them. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import type { Ran } from "./fakes.js";

const folder = fileURLToPath(new URL("golden", import.meta.url));

/** Compares a run with `golden/<name>.txt`, to the last character. */
export function expectGolden(name: string, argv: readonly string[], { code, stdout, stderr }: Ran): void {
  const parts = [
    `$ rekey ${argv.join(" ")}`,
    stdout.trimEnd(),
    ...(stderr === "" ? [] : ["--- standard error ---", stderr.trimEnd()]),
    `--- exit code ${code} ---`,
  ];
  expectFile(`${folder}/${name}.txt`, `${parts.filter((part) => part !== "").join("\n")}\n`);
}

/** Compares a text with a file. */
export function expectFile(file: string, text: string): void {
  if (process.env.UPDATE_GOLDEN === "1") {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  expect(existsSync(file), `${file} is missing; UPDATE_GOLDEN=1 writes it`).toBe(true);
  expect(text).toBe(readFileSync(file, "utf8"));
}
