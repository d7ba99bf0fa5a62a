/**
 * The table of ARCHITECTURE.md as data: which room may use which. Every arrow points down; an arrow that is not
 * in here is a mistake in the design or in the code, and either is worth a failing test.
 */

/** What one room may import: other rooms, or single files of them. Its own files are always allowed. */
export interface Room {
  readonly rooms: readonly string[] | "all";
  readonly files?: readonly string[];
  /** Packages it may use; absent: any that package.json has. */
  readonly packages?: readonly string[];
}

/** The rooms by folder; a longer one stands before the shorter. */
export const rooms: Readonly<Record<string, Room>> = {
  domain: { rooms: [], packages: ["zod"] },
  workflows: { rooms: ["domain"], packages: ["@temporalio/workflow", "@temporalio/common"] },
  activities: { rooms: ["domain", "inventory", "audit"], files: ["adapters/ports.ts"] },
  adapters: { rooms: ["domain"] },
  inventory: { rooms: ["domain"] },
  audit: { rooms: ["domain"], files: ["inventory/database.ts", "inventory/migrate.ts", "inventory/orm.ts"] },
  worker: { rooms: ["domain", "workflows", "activities", "adapters", "inventory", "audit"] },
  client: {
    rooms: ["domain", "inventory", "audit"],
    files: ["workflows/messages.ts", "client/api/client.ts"],
  },
  // The door to the network: it knows no Temporal, and the command line knows nothing of it but its client.
  "client/api": { rooms: ["domain", "inventory", "client"] },
  kit: { rooms: [], packages: [] },
  examples: { rooms: ["kit"] },
  // The demo is a composition root of its own: it starts everything and watches it.
  "examples/demo": { rooms: "all" },
  bin: { rooms: "all" },
  test: { rooms: "all" },
  bench: { rooms: "all" },
  scripts: { rooms: ["domain", "worker", "workflows"] },
};

/** Rooms whose packages are Temporal's business alone: nobody else may know it. */
export const temporalRooms: readonly string[] = [
  "workflows",
  "activities",
  "worker",
  "client",
  "bin",
  "test",
  "bench",
  "examples/demo",
  "scripts",
];
