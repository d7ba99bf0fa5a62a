/**
 * The list of test suites, kept apart because the test runner, its configuration and the house rules must
 * not disagree about which folders under `test/` are suites.
 */

/** Suites that run together; see `lanes`. */
export type LaneName = "rules" | "paths" | "servers";

/** How a lane runs. */
export interface Lane {
  readonly name: LaneName;
  /** How many test files at once, on a machine with this many cores. */
  readonly workers: (cores: number) => number;
}

/**
 * One suite: the folder `test/<name>`, whether its tests may ask for servers, and a test's deadline. That is for what hangs, and
 * far from what a test takes: half a minute of it is three on a machine with much else to do.
 */
export interface Suite {
  readonly name: string;
  readonly lane: LaneName;
  readonly servers: boolean;
  readonly timeoutMs: number;
  /**
   * Its files share processes, which load what they import once: that takes a second for each file, as much as its tests.
   * What changes the process itself is named here (`test/<name>/<file>.test.ts`) and gets a process of its own.
   */
  readonly shared?: { readonly except: readonly string[] };
}

/**
 * The lanes. The first runs alone, for it gives the cheapest verdict, and alone it is measured which lines its tests
 * cover: measuring makes everything slower. Then one computes while another waits.
 */
export const lanes: readonly Lane[] = [
  { name: "rules", workers: (cores) => cores + 1 },
  // Each file keeps a core busy.
  { name: "paths", workers: (cores) => Math.max(1, Math.floor(cores / 2)) },
  // They wait for servers and for time to pass in a quarter of theirs, and nothing they judge is how fast a machine is.
  { name: "servers", workers: (cores) => cores + 1 },
];

/** Every suite, in the order in which the suites of a lane run: the cheapest verdict first. One without a folder is not run. */
export const suites: readonly Suite[] = [
  { name: "tidy", lane: "rules", servers: false, timeoutMs: 120_000 },
  { name: "domain", lane: "rules", servers: false, timeoutMs: 60_000, shared: { except: [] } },
  { name: "explore", lane: "paths", servers: false, timeoutMs: 60_000 },
  { name: "setup", lane: "servers", servers: true, timeoutMs: 120_000 },
  { name: "deploy", lane: "servers", servers: false, timeoutMs: 120_000 },
  { name: "kit", lane: "servers", servers: true, timeoutMs: 180_000, shared: { except: [] } },
  {
    name: "contract",
    lane: "servers",
    servers: true,
    timeoutMs: 180_000,
    shared: { except: ["stores/vault-debug"] },
  },
  { name: "inventory", lane: "servers", servers: true, timeoutMs: 180_000, shared: { except: [] } },
  { name: "audit", lane: "servers", servers: true, timeoutMs: 120_000, shared: { except: [] } },
  { name: "activities", lane: "servers", servers: true, timeoutMs: 180_000, shared: { except: ["people"] } },
  // A replay begins the SDK's runtime, which is one a process, without the settings that the houses give it.
  { name: "workflows", lane: "servers", servers: true, timeoutMs: 180_000, shared: { except: ["replay"] } },
  { name: "worker", lane: "servers", servers: true, timeoutMs: 180_000, shared: { except: [] } },
  { name: "cli", lane: "servers", servers: true, timeoutMs: 180_000, shared: { except: [] } },
  { name: "api", lane: "servers", servers: true, timeoutMs: 180_000, shared: { except: [] } },
  { name: "e2e", lane: "servers", servers: true, timeoutMs: 180_000 },
  { name: "faults", lane: "servers", servers: true, timeoutMs: 600_000 },
];

/** Test files that take a minute, or nearly: they begin first, so that nothing is waited for at the end. */
export const longest: readonly string[] = [
  "e2e/canaries",
  "faults/sample",
  "workflows/back",
  "e2e/demo-program",
  "e2e/own-estate",
  "e2e/demo",
  "worker/key-ring",
  "workflows/audit-down",
  "workflows/continued",
  "worker/schedules",
  "workflows/decisions",
  "workflows/restored",
  "workflows/keys",
  "contract/sources/vault-audit-socket",
  "contract/sources/rabbitmq-connections",
];

/** A project of Vitest: a suite, or those of its files that have a process each. */
export interface Part {
  readonly project: string;
  readonly suite: Suite;
  readonly isolate: boolean;
  /** Globs of its files. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

/** The projects that a suite is run as. The first word of a project's name is its suite's. */
export function partsOf(suite: Suite): Part[] {
  const { name, shared } = suite;
  const include = [`test/${name}/**/*.test.ts`];
  if (shared === undefined) return [{ project: name, suite, isolate: true, include, exclude: [] }];
  const alone = shared.except.map((file) => `test/${name}/${file}.test.ts`);
  const together = { project: name, suite, isolate: false, include, exclude: alone };
  return alone.length === 0
    ? [together]
    : [together, { project: `${name} alone`, suite, isolate: true, include: alone, exclude: [] }];
}

/** Name of the suite that a project belongs to. */
export function suiteOf(project: string): string {
  return project.split(" ")[0] ?? project;
}

/** Folders under `test/` that hold helpers and no tests of their own. */
export const helperFolders: readonly string[] = ["fixtures", "support"];
