// A user's own program for the command notifier: it keeps what it gets in the folder that it is given.
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [, , folder, canary] = process.argv;
const how = readFileSync(join(folder, "how"), "utf8");
const first = !existsSync(join(folder, "tried"));
writeFileSync(join(folder, "tried"), "");
process.stdout.write(canary);
process.stderr.write(canary);

if (how === "hangs") setInterval(() => {}, 1000);
else if (how === "refuses") process.exitCode = 77;
else if (how === "fails" || (how === "fails-once" && first)) process.exitCode = 75;
else appendFileSync(join(folder, "received"), `${readFileSync(0, "utf8")}\n`);
