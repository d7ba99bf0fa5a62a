/**
 * Each house rule is shown a file that breaks it and one that does not: a rule that cannot fail protects
 * nothing.
 */

import { describe, expect, test } from "vitest";
import * as rules from "./rules.js";
import { readSource, type Source } from "./sources.js";

const opening = "/** This file is here to show a house rule something to look at. */\n\n";

function files(texts: Readonly<Record<string, string>>): Source[] {
  return Object.entries(texts).map(([path, text]) => readSource(path, opening + text));
}

interface Example {
  readonly rule: rules.Rule;
  readonly bad: Readonly<Record<string, string>>;
  readonly good: Readonly<Record<string, string>>;
  readonly says: RegExp;
}

const examples: Readonly<Record<string, Example>> = {
  "an arrow upwards": {
    rule: rules.arrows,
    bad: { "domain/a.ts": 'import { b } from "../adapters/b.js";' },
    good: { "adapters/b.ts": 'import { a } from "../domain/a.js";' },
    says: /domain\/ may not import adapters\/b\.ts/,
  },
  "an arrow by import type, re-export and import()": {
    rule: rules.arrows,
    bad: { "client/a.ts": 'import type { B } from "../adapters/b.js";' },
    good: { "bin/a.ts": 'export * from "../adapters/b.js"; await import("../client/c.js");' },
    says: /client\/ may not import adapters/,
  },
  "an arrow by import() alone": {
    rule: rules.arrows,
    bad: { "kit/a.ts": 'const b = await import("../domain/b.js");' },
    good: { "kit/a.ts": 'const b = await import("./b.js");' },
    says: /kit\/ may not import domain/,
  },
  "an arrow by re-export alone": {
    rule: rules.arrows,
    bad: { "domain/a.ts": 'export { x } from "../inventory/b.js";' },
    good: { "inventory/a.ts": 'export { x } from "../domain/b.js";' },
    says: /domain\/ may not import inventory/,
  },
  "a room inside another": {
    rule: rules.arrows,
    bad: { "examples/pool/a.ts": 'import { b } from "../../worker/b.js";' },
    good: {
      "examples/demo/a.ts": 'import { b } from "../../worker/b.js"; import { c } from "../pool/c.js";',
    },
    says: /examples\/ may not import worker/,
  },
  "a file where only one of a room is allowed": {
    rule: rules.arrows,
    bad: { "activities/a.ts": 'import { x } from "../adapters/registry.js";' },
    good: { "activities/a.ts": 'import { x } from "../adapters/ports.js";' },
    says: /activities\/ may not import adapters\/registry\.ts/,
  },
  "a folder that is no room": {
    rule: rules.arrows,
    bad: { "utils/a.ts": "" },
    good: { "vitest.config.ts": "" },
    says: /utils\/ is no room/,
  },
  "a package that the room may not use": {
    rule: rules.packages,
    bad: { "domain/a.ts": 'import pg from "pg";' },
    good: { "domain/a.ts": 'import { z } from "zod/v4";' },
    says: /domain\/ may not use pg/,
  },
  "I/O in the domain": {
    rule: rules.packages,
    bad: { "domain/a.ts": 'import { readFile } from "node:fs/promises";' },
    good: { "kit/a.ts": 'import { readFile } from "node:fs/promises";' },
    says: /domain\/ may not use node:fs\/promises/,
  },
  "Temporal in an adapter": {
    rule: rules.packages,
    bad: { "adapters/stores/a.ts": 'import { log } from "@temporalio/activity";' },
    good: { "activities/a.ts": 'import { log } from "@temporalio/activity";' },
    says: /adapters\/ may not use @temporalio\/activity/,
  },
  "zod in a workflow": {
    rule: rules.packages,
    bad: { "workflows/a.ts": 'import { z } from "zod";' },
    good: { "workflows/a.ts": 'import { sleep } from "@temporalio/workflow";' },
    says: /workflows\/ may not use zod/,
  },
  "spans that nobody searches": {
    rule: rules.telemetry,
    bad: { "worker/a.ts": 'import { trace } from "@opentelemetry/api";' },
    good: { "worker/a.ts": 'import { Runtime } from "@temporalio/worker";' },
    says: /worker\/a\.ts: @opentelemetry\/api: the canary suite/,
  },
  "metrics of Temporal's SDK": {
    rule: rules.telemetry,
    bad: {
      "worker/a.ts": "Runtime.install({ telemetryOptions: { metrics: { prometheus: { bindAddress } } } });",
    },
    good: { "test/a.ts": "Runtime.install({ telemetryOptions: {} });" },
    says: /telemetryOptions of Temporal's SDK/,
  },
  "a dependency of the kit": {
    rule: rules.packages,
    bad: { "kit/a.ts": 'import type { Pool } from "pg";' },
    good: { "kit/a.ts": 'import { connect } from "node:net";' },
    says: /kit\/ may not use pg/,
  },
  "a kind that imports another": {
    rule: rules.kindsApart,
    bad: { "adapters/issuers/a.ts": 'import { b } from "./b.js";' },
    good: {
      "adapters/issuers/a.ts": 'import { b } from "./a-wire.js"; import { c } from "../shared/c.js";',
      "adapters/issuers/a-wire.ts": 'import { P } from "../ports.js";',
      "adapters/stores/v.ts": 'import { x } from "./v/x.js";',
      "adapters/registry.ts": 'import { a } from "./issuers/a.js"; import { b } from "./issuers/b.js";',
    },
    says: /may not import another \(adapters\/issuers\/b\.ts\)/,
  },
  "a cycle": {
    rule: rules.cycles,
    bad: {
      "domain/a.ts": 'import "./b.js";',
      "domain/b.ts": 'import "./c.js";',
      "domain/c.ts": 'import type { A } from "./a.js";',
    },
    good: {
      "domain/a.ts": 'import "./b.js"; import "./c.js";',
      "domain/b.ts": 'import "./c.js";',
      "domain/c.ts": "",
    },
    says: /a cycle: domain\/a\.ts -> domain\/b\.ts -> domain\/c\.ts/,
  },
  "a file past 400 lines": {
    rule: rules.length,
    bad: { "domain/a.ts": "// line\n".repeat(399) },
    good: { "domain/a.ts": "// line\n".repeat(398) },
    says: /401 lines/,
  },
  "a provider's name": {
    rule: rules.providers,
    bad: { "domain/a.ts": "// as in PostgreSQL" },
    good: { "domain/a.ts": 'const form = "vault:path#key"; // a default', "adapters/a.ts": "// PostgreSQL" },
    says: /domain\/a\.ts:3: the provider's name Postgres/i,
  },
  "an export without a docstring": {
    rule: rules.docstrings,
    bad: { "domain/a.ts": "/** Documented. */\nexport const a = 1;\n\nexport const b = 2;" },
    good: {
      "domain/a.ts":
        "/** Documented. */\nexport const a = 1;\n/** So is this. */\nexport type B = 1;\nconst c = 1;",
    },
    says: /domain\/a\.ts:6: the export b has no docstring/,
  },
  "the file's opening is no docstring of its first export": {
    rule: rules.docstrings,
    bad: { "domain/a.ts": "export const a = 1;" },
    good: { "domain/a.ts": 'export { b } from "./b.js";', "test/domain/a.test.ts": "export const a = 1;" },
    says: /the export a has no docstring/,
  },
  "an export by list without a docstring": {
    rule: rules.docstrings,
    bad: { "domain/a.ts": "function a() {}\nexport { a };" },
    good: { "domain/a.ts": "/** Documented. */\nfunction a() {}\nexport { a };" },
    says: /the export a has no docstring/,
  },
  "a console call": {
    rule: rules.consoles,
    bad: { "worker/a.ts": 'console.error("x");' },
    good: {
      "client/cli/a.ts": 'console.log("x");',
      "worker/a.ts": 'const s = "console.log"; // console.log',
    },
    says: /worker\/a\.ts:3: console/,
  },
  "a default export": {
    rule: rules.defaultExports,
    bad: { "domain/a.ts": "export default 1;" },
    good: { "domain/a.ts": "export const a = 1;", "vitest.config.ts": "export default {};" },
    says: /a default export/,
  },
  "a TODO without a number": {
    rule: rules.todos,
    bad: { "domain/a.ts": "// TODO: later" },
    good: { "domain/a.ts": '// TODO(#12): later\nconst s = "TODO";' },
    says: /domain\/a\.ts:3: a TODO/,
  },
  "one word for one and for several": {
    rule: rules.counted,
    bad: { "domain/a.ts": `const told = \`\${signed} more person(s) have signed\`;` },
    good: { "domain/a.ts": `const told = \`\${count(signed, "person")} signed by \${list.map(one)(s)}\`;` },
    says: /domain\/a\.ts:3: "person\(s\)"/,
  },
  "a wait of a second": {
    rule: rules.waits,
    bad: { "test/kit/a.test.ts": "await vi.waitFor(() => expect(log).toEqual([]));" },
    good: { "test/kit/a.test.ts": "await expect.poll(() => log).toEqual([]);" },
    says: /test\/kit\/a\.test\.ts:3: vi\.waitFor/,
  },
};

describe("each rule fails on what breaks it and passes what does not", () => {
  test.each(Object.entries(examples))("%s", (_name, { rule, bad, good, says }) => {
    expect(rule(files(bad)).join("\n")).toMatch(says);
    expect(rule(files(good))).toEqual([]);
  });

  test("a file without an opening, with a short one, with one after code", () => {
    for (const text of ["export {};\n", "// short\nexport {};\n", `export {};\n${opening}`]) {
      expect(rules.openings([readSource("domain/a.ts", text)])).toHaveLength(1);
    }
    const bare =
      "#!/usr/bin/env node\n// The command that people type; everything it does lies below client/cli.\n";
    expect(rules.openings([readSource("bin/a.ts", bare)])).toEqual([]);
    expect(rules.openings(files({ "domain/a.ts": "" }))).toEqual([]);
  });
});
