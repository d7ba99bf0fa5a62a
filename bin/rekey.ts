#!/usr/bin/env node
/** The program: puts the command line together with everything that it is given instead of reaching for it. */
import { kinds } from "../adapters/registry.js";
import type { CliDeps } from "../client/cli/deps.js";
import { run } from "../client/cli/run.js";
import { newId } from "../worker/ids.js";
import { processesWith } from "./processes.js";
import { keepEnvironmentOut } from "./reports.js";
import { version } from "./version.js";

keepEnvironmentOut(process.report);

// Loaded by the commands that need them: the others begin sooner.
const services = () => import("./services.js");
const adoption = async () => (await import("./adoption.js")).adoption(process.env);

const deps: CliDeps = {
  kinds,
  io: {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    now: Date.now,
    randomId: newId,
    onInterrupt: (listener) => {
      process.on("SIGINT", listener);
      return () => process.off("SIGINT", listener);
    },
  },
  connect: async () => (await services()).openServices(process.env),
  migrate: async () => (await services()).migrateInventory(process.env),
  auditorsLog: async (reference) => (await import("./auditor.js")).openAuditorsLog(process.env, reference),
  grants: Object.fromEntries(
    Object.entries({ ...kinds.issuers, ...kinds.stores }).flatMap(([kind, { grants }]) =>
      grants === undefined ? [] : [[kind, grants]],
    ),
  ),
  adoption: {
    preview: async (...given) => (await adoption()).preview(...given),
    ask: async (...given) => (await adoption()).ask(...given),
    decide: async (...given) => (await adoption()).decide(...given),
    carryOut: async function* (...given) {
      yield* (await adoption()).carryOut(...given);
    },
  },
  processes: processesWith(process.env),
  version: version(),
};

process.exitCode = await run(process.argv.slice(2), deps);
