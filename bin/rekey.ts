#!/usr/bin/env node
/** The program: puts the command line together with everything that it is given instead of reaching for it. */
import { kinds } from "../adapters/registry.js";
import type { CliDeps } from "../client/cli/deps.js";
import { run } from "../client/cli/run.js";
import { newId } from "../worker/installation.js";
import { adoption } from "./adoption.js";
import { openAuditorsLog } from "./auditor.js";
import { processesWith } from "./processes.js";
import { keepEnvironmentOut } from "./reports.js";
import { migrateInventory, openServices } from "./services.js";

keepEnvironmentOut(process.report);

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
  connect: () => openServices(process.env),
  migrate: () => migrateInventory(process.env),
  auditorsLog: (reference) => openAuditorsLog(process.env, reference),
  grants: Object.fromEntries(
    Object.entries({ ...kinds.issuers, ...kinds.stores }).flatMap(([kind, { grants }]) =>
      grants === undefined ? [] : [[kind, grants]],
    ),
  ),
  adoption: adoption(process.env),
  processes: processesWith(process.env),
};

process.exitCode = await run(process.argv.slice(2), deps);
