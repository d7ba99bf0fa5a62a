/**
 * The suites of `make test`, each a project of its own so that it is counted, timed out and run alone:
 * static rules first, then pure rules, then what needs servers, then everything together.
 */

import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { lanes, partsOf, suites } from "./scripts/suites.js";
import { TestOrder } from "./scripts/test-order.js";

export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  test: {
    coverage: {
      provider: "v8",
      include: ["domain/**/*.ts"],
      reporter: ["json-summary", "lcovonly"],
      reportOnFailure: true,
    },
    sequence: { sequencer: TestOrder },
    projects: suites.flatMap(partsOf).map(({ project, suite, isolate, include, exclude }) => {
      const lane = lanes.findIndex(({ name }) => name === suite.lane);
      return {
        extends: true,
        test: {
          name: project,
          include: [...include],
          exclude: [...exclude],
          isolate,
          globalSetup: suite.servers ? ["test/setup/broker.ts"] : [],
          testTimeout: suite.timeoutMs,
          hookTimeout: suite.timeoutMs,
          // Vitest would give up after a second, in which a busy machine does nothing for us.
          expect: { poll: { timeout: suite.timeoutMs / 2 } },
          // Vitest would leave a core to others, which is half of a small machine.
          maxWorkers: lanes[lane]?.workers(availableParallelism()) ?? 1,
          // Zero would mean "whenever".
          sequence: { groupOrder: lane + 1 },
        },
      };
    }),
  },
});
