// A user's own program for the command consumer: its world is the JSON file that it is given as its argument.
// The protocol is in docs/kinds/command.md.
import { readFileSync, writeFileSync } from "node:fs";

const [, , file, mode] = process.argv;
const request = JSON.parse(readFileSync(0, "utf8"));
const world = JSON.parse(readFileSync(file, "utf8"));
writeFileSync(`${file}.last`, JSON.stringify({ request, env: process.env, pid: process.pid }));

if (mode === "hang") {
  process.on("SIGTERM", () => {});
  setInterval(() => {}, 1000);
} else if (mode === "flood") {
  const more = () => process.stdout.write("x".repeat(65_536), more);
  more();
} else if (mode === "leak") {
  process.stderr.write(process.env.PROGRAM_SECRET);
  process.stdout.write(JSON.stringify({ instances: [{ instance: process.env.PROGRAM_SECRET, version: 7 }] }));
} else if (mode?.startsWith("exit")) {
  process.stdout.write(process.env.PROGRAM_SECRET ?? "");
  process.exitCode = Number(mode.slice(4));
} else if (world.unlisted) {
  process.exitCode = 1;
} else if (request.action === "preflight") {
  process.stdout.write(JSON.stringify({ missing: world.missing }));
} else if (request.action === "deliver") {
  for (const instance of world.instances) if (!instance.stays) instance.version = request.version;
  for (const instance of world.instances) if (!instance.stays) instance.working = !instance.idle;
  writeFileSync(file, JSON.stringify(world));
} else {
  process.stdout.write(JSON.stringify(world));
}
