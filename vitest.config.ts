/**
 * The suites of `make test`, each a project of its own so that it is counted, timed out and run alone:
 * static rules first, then pure rules, then what needs servers, then everything together.
 */

import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { suites } from "./scripts/suites.js";

const rooms = [
  "activities",
  "adapters",
  "audit",
  "bin",
  "client",
  "domain",
  "inventory",
  "kit",
  "worker",
  "workflows",
];

export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  test: {
    coverage: {
      provider: "v8",
      include: rooms.map((room) => `${room}/**/*.ts`),
      reporter: ["json-summary", "lcovonly"],
      reportOnFailure: true,
      thresholds: { "domain/**": { lines: 100 } },
    },
    // Vitest leaves a core to others, which is half of a small machine. Most tests wait for servers: with a worker for each
    // core the cores are idle for half of the time.
    maxWorkers: availableParallelism() + 1,
    projects: suites.map((suite, index) => ({
      extends: true,
      test: {
        name: suite.name,
        include: [`test/${suite.name}/**/*.test.ts`],
        globalSetup: suite.servers ? ["test/setup/broker.ts"] : [],
        testTimeout: suite.timeoutMs,
        hookTimeout: suite.timeoutMs,
        fileParallelism: suite.oneByOne !== true,
        // Zero would mean "whenever".
        sequence: { groupOrder: index + 1 },
      },
    })),
  },
});
