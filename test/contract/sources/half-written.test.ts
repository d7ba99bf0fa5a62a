/** Files that somebody is about to write while they are read: what is half there is waited for, and no record that cannot be read. */
import { appendFile, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { AdapterDeps, Source } from "../../../adapters/ports.js";
import { CloudtrailSource } from "../../../adapters/sources/cloudtrail.js";
import { cloudtrailConfig } from "../../../adapters/sources/cloudtrail-schema.js";
import { VaultAuditSource } from "../../../adapters/sources/vault-audit.js";
import { vaultAuditConfig } from "../../../adapters/sources/vault-audit-schema.js";
import { scanned, together } from "../source.js";
import { depsOf } from "../stores/world.js";
import { auditLine } from "./audit-lines.js";
import { account, region, secretRead, trailFile } from "./trail-events.js";

let folder: string;
let from: { method: "files"; paths: string[] };
/** By the clock of the disk. */
const deps: AdapterDeps = depsOf({}, { now: Date.now });
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rekey-half-"));
  from = { method: "files", paths: [folder] };
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const audit = () => new VaultAuditSource(vaultAuditConfig.parse({ store: "main", from }), deps);
const trail = () =>
  new CloudtrailSource(cloudtrailConfig.parse({ account, region, store: "secrets", from }), deps);
const lines = gzipSync(`${auditLine("a")}\n${auditLine("b")}\n`);
const document = Buffer.from(trailFile(secretRead("a", "apps/db"), secretRead("b", "apps/db")));

const halves: [string, string, Buffer, () => Source, number][] = [
  ["a log that is being compressed", "audit.log.1.gz", lines, audit, 40],
  ["a file of a trail that is being copied", "1.json", document, trail, document.length - 300],
  ["a file of a trail that is being copied, compressed", "1.json.gz", gzipSync(document), trail, 100],
];

it.each(halves)("H21: %s is read when it is there", async (_, name, bytes, open, half) => {
  const path = join(folder, name);
  await writeFile(path, bytes.subarray(0, half));
  const reading = scanned(open());
  await sleep(500);
  await appendFile(path, bytes.subarray(half));
  const parts = await reading;
  const { malformed, edges } = together(parts);
  expect([malformed, parts.flatMap(({ gaps }) => gaps), edges.length]).toEqual([[], [], 2]);
});

it("what nobody goes on with is said, and a file that is renamed meanwhile is read by the next scan", async () => {
  const [path, renamed] = [join(folder, "1.json.part"), join(folder, "1.json")];
  await writeFile(path, document.subarray(0, 400));
  expect(together(await scanned(trail())).malformed).toHaveLength(1);
  await writeFile(path, document.subarray(0, 500));
  const reading = scanned(trail());
  await sleep(500);
  await rename(path, renamed);
  await expect(reading).rejects.toMatchObject({ code: "unreachable" });
  await writeFile(renamed, document);
  expect(together(await scanned(trail())).edges).toHaveLength(2);
});
