/** The program of the tests: says two lines of a file at a time, from the cursor on; its arguments are the file and a mode. */
import { readFileSync } from "node:fs";

const [, , file, mode = ""] = process.argv;
const input = JSON.parse(readFileSync(0, "utf8"));
if (input.protocol !== "rekey-source/1" || input.installation !== "here") process.exit(64);
if (mode === "away") process.exit(75);
const print = (text) => process.stdout.write(`${text}\n`);
const lines = readFileSync(file, "utf8")
  .split("\n")
  .filter((line) => line !== "");
const from = Number(input.cursor ?? 0);
const some = lines.slice(from, from + 2);
for (const line of some) print(line);
const cursor = String(from + some.length);
const more = from + some.length < lines.length;
if (mode === "behind") print(JSON.stringify({ cursor }));
if (mode !== "endless" && mode !== "cut") print(JSON.stringify({ cursor, more }));
if (mode === "endless") print(JSON.stringify({ cursor: "same", more: true }));
