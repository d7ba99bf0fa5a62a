/**
 * What it costs to read logs: records in a second of one core, memory for input of two sizes, and what a second run over
 * the same files costs. Each run is a process of its own, so that its highest memory is that of the reading.
 */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { AdapterDeps, Source } from "../adapters/ports.js";
import { cloudtrail } from "../adapters/sources/cloudtrail.js";
import { vaultAudit } from "../adapters/sources/vault-audit.js";
import { RekeyError } from "../domain/errors.js";
import { projectRoot } from "../worker/dev/places.js";
import { noCodec } from "../worker/installation.js";
import { type IntakeKind, intakeKinds, writeInput } from "./intake-input.js";
import type { Table } from "./tables.js";

const run = promisify(execFile);
const runMsMax = 900_000;
const mib = 1 << 20;
/**
 * V8 doubles its young generation as it meets survivors, from 1 to 128 MiB, however little is kept in the end: a process that runs longer
 * has a larger one. With its size fixed the highest memory is what the reading needs.
 */
const youngMib = 16;

/** Bytes of input: one size, and one four times as large. */
export interface IntakeSize {
  readonly smallMib: number;
  readonly largeMib: number;
}

/** Little enough to run with everything else. */
export const smallIntake: IntakeSize = { smallMib: 256, largeMib: 1_024 };
/** As the goals have it: minutes, and 4 GiB of disk. */
export const fullIntake: IntakeSize = { smallMib: 1_024, largeMib: 4_096 };

/** One run over some input, and a second one from its cursor. */
export interface IntakeRun {
  readonly records: number;
  readonly claims: number;
  /** Of processor time and by the clock. */
  readonly cpuMs: number;
  readonly wallMs: number;
  readonly againCpuMs: number;
  readonly againWallMs: number;
  readonly startMib: number;
  readonly peakMib: number;
}

/** Both sizes of each kind. */
export interface IntakeFigures {
  readonly size: IntakeSize;
  readonly runs: Readonly<Record<IntakeKind, { readonly small: IntakeRun; readonly large: IntakeRun }>>;
}

/** Measures both kinds. Fails where a run did not read what was written. */
export async function measureIntake(
  size: IntakeSize,
  progress: (line: string) => void,
): Promise<IntakeFigures> {
  const runs: Partial<Record<IntakeKind, { small: IntakeRun; large: IntakeRun }>> = {};
  for (const kind of intakeKinds) {
    runs[kind] = {
      small: await measured(kind, size.smallMib, progress),
      large: await measured(kind, size.largeMib, progress),
    };
  }
  return { size, runs: runs as IntakeFigures["runs"] };
}

async function measured(
  kind: IntakeKind,
  sizeMib: number,
  progress: (line: string) => void,
): Promise<IntakeRun> {
  const folder = await mkdtemp(join(tmpdir(), "rekey-intake-"));
  try {
    progress(`${kind}: making ${sizeMib} MiB`);
    const records = await writeInput(kind, folder, sizeMib * mib);
    progress(`${kind}: reading ${records} records`);
    const main = join(projectRoot(), "dist", "bench", "main.js");
    const young = `--max-semi-space-size=${youngMib}`;
    const { stdout } = await run(process.execPath, [young, main, "intake", kind, folder], {
      timeout: runMsMax,
    });
    const found = JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as IntakeRun;
    if (found.records !== records)
      throw new Error(`${kind}: ${found.records} of ${records} records were read`);
    return found;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The run itself, in a process that does nothing else. */
export async function takeIn(kind: IntakeKind, folder: string): Promise<IntakeRun> {
  const startMib = process.memoryUsage().rss / mib;
  const first = await timed(sourceOf(kind, folder), null);
  const again = await timed(sourceOf(kind, folder), first.cursor);
  if (again.records > 0) throw new Error("a second run read records again");
  return {
    records: first.records,
    claims: first.claims,
    cpuMs: first.cpuMs,
    wallMs: first.wallMs,
    againCpuMs: again.cpuMs,
    againWallMs: again.wallMs,
    startMib,
    peakMib: process.resourceUsage().maxRSS / 1_024,
  };
}

async function timed(source: Source, from: string | null) {
  const begun = { wall: performance.now(), cpu: process.cpuUsage() };
  let [records, claims, cursor] = [0, 0, from];
  for await (const part of source.scan(from, { signal: AbortSignal.timeout(runMsMax) })) {
    records += part.records;
    claims += part.claims.length;
    cursor = part.cursor;
    if (part.malformed.length > 0) throw new Error(`malformed: ${part.malformed[0]?.where}`);
  }
  const { user, system } = process.cpuUsage(begun.cpu);
  return { records, claims, cursor, cpuMs: (user + system) / 1_000, wallMs: performance.now() - begun.wall };
}

const deps: AdapterDeps = {
  resolve: async () => {
    throw new RekeyError("missing-setup", "Reading files needs no secret.");
  },
  installation: "bench",
  signChallenge: async () => "",
  codec: noCodec,
  mark: () => "",
  now: Date.now,
  random: (bytes) => crypto.getRandomValues(new Uint8Array(bytes)),
};

function sourceOf(kind: IntakeKind, folder: string): Source {
  const from = { method: "files", paths: [folder] };
  return kind === "vault-audit"
    ? vaultAudit.create(vaultAudit.config.parse({ store: "main", from }) as never, deps)
    : cloudtrail.create(
        cloudtrail.config.parse({
          account: "123456789012",
          region: "eu-central-1",
          store: "secrets",
          from,
        }) as never,
        deps,
      );
}

/** The figures as a table. */
export function intakeTable({ size, runs }: IntakeFigures): Table {
  const { smallMib, largeMib } = size;
  const rows = intakeKinds.flatMap((kind) => {
    const { small, large } = runs[kind];
    return [
      {
        what: `${kind}, records/s of one core`,
        value: (large.records * 1_000) / large.cpuMs,
        atLeast: 50_000,
        note: `${large.records} records, processor time of all threads`,
      },
      { what: `${kind}, by the clock`, value: (large.records * 1_000) / large.wallMs, unit: "/s" },
      {
        what: `${kind}, ${smallMib} MiB, highest memory`,
        value: small.peakMib,
        unit: "MiB",
        note: `${small.startMib.toFixed(0)} MiB before`,
      },
      {
        what: `${kind}, ${largeMib} MiB, highest memory`,
        value: large.peakMib,
        unit: "MiB",
        note: `${large.startMib.toFixed(0)} MiB before`,
      },
      {
        what: `${kind}, larger to smaller`,
        value: large.peakMib / small.peakMib,
        digits: 2,
        atMost: 1.1,
        note: `V8's young generation has ${youngMib} MiB in each half, and does not grow`,
      },
      {
        what: `${kind}, second run`,
        value: (100 * large.againCpuMs) / large.cpuMs,
        digits: 2,
        unit: "%",
        atMost: 5,
      },
    ];
  });
  return { title: `Reading logs of ${smallMib} and ${largeMib} MiB`, rows };
}
