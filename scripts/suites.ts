/**
 * The list of test suites, kept apart because the test runner, its configuration and the house rules must
 * not disagree about which folders under `test/` are suites.
 */

/** One suite: the folder `test/<name>`, whether its tests may ask for servers, and a test's deadline. */
export interface Suite {
  readonly name: string;
  readonly servers: boolean;
  readonly timeoutMs: number;
  /** Its files run one after the other: each is a whole house under load, and two of them would measure each other. */
  readonly oneByOne?: true;
}

/** Every suite, in the order in which they run: the cheapest verdict first. One without a folder is not run. */
export const suites: readonly Suite[] = [
  { name: "tidy", servers: false, timeoutMs: 120_000 },
  { name: "domain", servers: false, timeoutMs: 60_000 },
  { name: "setup", servers: true, timeoutMs: 120_000 },
  { name: "deploy", servers: false, timeoutMs: 120_000 },
  { name: "kit", servers: true, timeoutMs: 60_000 },
  { name: "contract", servers: true, timeoutMs: 60_000 },
  { name: "inventory", servers: true, timeoutMs: 60_000 },
  { name: "audit", servers: true, timeoutMs: 120_000 },
  { name: "activities", servers: true, timeoutMs: 60_000 },
  { name: "workflows", servers: true, timeoutMs: 60_000 },
  { name: "worker", servers: true, timeoutMs: 60_000 },
  { name: "cli", servers: true, timeoutMs: 60_000 },
  { name: "api", servers: true, timeoutMs: 60_000 },
  { name: "e2e", servers: true, timeoutMs: 180_000, oneByOne: true },
  { name: "faults", servers: true, timeoutMs: 600_000 },
];

/** Folders under `test/` that hold helpers and no tests of their own. */
export const helperFolders: readonly string[] = ["fixtures", "support"];
