/** Every kind of source that reads files, with files that are broken; a kind that is new has to be put into one of the two lists. */
import { expect, it } from "vitest";
import type { Source } from "../../../adapters/ports.js";
import { kinds } from "../../../adapters/registry.js";
import { type BrokenCase, brokenContract } from "../broken.js";
import { auditLine } from "./audit-lines.js";
import { account, region, secretRead, trailFile } from "./trail-events.js";

/** These ask a server or a program, and read no file of anybody's. */
const readNoFile = [
  ...["aws-iam-report", "command", "mysql-processlist", "postgres-activity"],
  ...["kubernetes", "rabbitmq-connections", "redis-clients", "tls-endpoints"],
];

/** A source of a kind of the registry, with the settings that its schema makes of these. */
function opened(kind: string, settings: (directory: string) => object): BrokenCase["open"] {
  return (directory, deps): Source => {
    const { [kind]: found } = kinds.sources;
    if (found === undefined) throw new Error(`There is no kind ${kind}.`);
    return found.create(found.config.parse(settings(directory)), deps);
  };
}

/** In the middle of the value, which stands in quotes. */
const inValue = (text: string, value: string) => text.indexOf(value) + 5;
/** In the middle of a document that has one end. */
const inMiddle = (text: string) => Math.floor(text.length / 2);

/** Text with a language that has comments. */
function commented(
  kind: string,
  file: string,
  beside: string,
  one: (name: string, value: string) => string,
  settings: object = {},
): BrokenCase {
  const text = (names: readonly string[], value: string) =>
    `# für uns\n${names.map((name) => one(name, value)).join("")}`;
  return {
    ...{ file, beside, text, cutAt: inValue, streams: false },
    open: opened(kind, (directory) => ({ directory, name: "shop", ...settings })),
    long: ([first, second], value, bytes) =>
      `${text([first], value)}# ${"x".repeat(bytes)}\n${one(second, value)}`,
  };
}

const pod = (name: string, value: string) =>
  `---\n# Source: shop/templates/pod.yaml\napiVersion: v1\nkind: Pod\nmetadata: { name: ${name}, namespace: shop }\nspec: { containers: [ { name: c, env: [ { name: DB_PASSWORD, value: "${value}" } ] } ] }\n`;

const resources = (names: readonly string[], value: string, rest: object = {}) =>
  JSON.stringify({
    ...{ format_version: "1.0", terraform_version: "1.9.8" },
    values: {
      root_module: {
        resources: names.map((name) => ({
          ...{ address: `random_password.${name}`, type: "random_password" },
          values: { result: value, note: "für uns", ...rest },
        })),
      },
    },
  });

const leak = (name: string, Secret: string, more: object = {}) => ({
  ...{ RuleID: "key", File: `${name}.env`, StartLine: 3, Secret, Commit: "", Date: "", Message: "für uns" },
  ...more,
});

const found = (name: string, Raw: string, more: object = {}) =>
  `${JSON.stringify({
    ...{ SourceMetadata: { Data: { Filesystem: { file: `${name}.env`, line: 4 } } }, SourceName: "für uns" },
    ...{ DetectorName: "URI", Verified: false, Raw, RawV2: "", Redacted: "", ...more },
  })}\n`;

const tableHead = "Consumer,Credential,Purpose\n";
const row = (name: string) => `${name},orders-db,"für uns"\n`;

const cases: Readonly<Record<string, BrokenCase>> = {
  compose: {
    ...commented(
      ...(["compose", "a/compose.yaml", "b/compose.yaml"] as const),
      (name, value) => `x-${name}: 1\nservices: { ${name}: { environment: { DB_PASSWORD: "${value}" } } }\n`,
    ),
    text: (names, value) =>
      `# für uns\nservices:\n${names.map((name) => `  ${name}: { environment: { DB_PASSWORD: "${value}" } }\n`).join("")}`,
    long: ([first, second], value, bytes) => {
      const one = (name: string) => `  ${name}: { environment: { DB_PASSWORD: "${value}" } }\n`;
      return `services:\n${one(first)}# ${"x".repeat(bytes)}\n${one(second)}`;
    },
  },
  "env-files": commented(
    ...(["env-files", "a/.env", "b/.env"] as const),
    (name, value) => `${name}_PASSWORD="${value}"\n`,
  ),
  "github-actions": {
    ...commented(
      ...(["github-actions", ".github/workflows/a.yml", ".github/workflows/b.yml"] as const),
      (name, value) => `  ${name}: { env: { PASSWORD: "${value}" }, steps: [] }\n`,
    ),
    text: (names, value) =>
      `# für uns\njobs:\n${names.map((name) => `  ${name}: { env: { PASSWORD: "${value}" }, steps: [] }\n`).join("")}`,
    long: ([first, second], value, bytes) => {
      const one = (name: string) => `  ${name}: { env: { PASSWORD: "${value}" }, steps: [] }\n`;
      return `jobs:\n${one(first)}# ${"x".repeat(bytes)}\n${one(second)}`;
    },
  },
  "gitlab-ci": commented(
    ...(["gitlab-ci", "a.gitlab-ci.yml", "b.gitlab-ci.yml"] as const),
    (name, value) => `${name}: { variables: { PASSWORD: "${value}" }, script: [ x ] }\n`,
  ),
  "kubernetes-manifests": commented(...(["kubernetes-manifests", "a.yaml", "b.yaml"] as const), pod, {
    cluster: "prod",
  }),
  terraform: {
    ...{ file: "a.json", beside: "b.json", cutAt: inMiddle, streams: false },
    open: opened("terraform", (directory) => ({ directory, name: "shop" })),
    text: (names, value) => resources(names, value),
    long: (names, value, bytes) => resources(names, value, { big: "x".repeat(bytes) }),
  },
  gitleaks: {
    ...{ file: "a.json", beside: "b.json", cutAt: inMiddle, streams: true, datedByFile: true },
    open: opened("gitleaks", (directory) => ({
      reports: ["a.json", "b.json"].map((file) => ({ file: `${directory}/${file}`, repository: "shop" })),
    })),
    text: (names, value) => JSON.stringify(names.map((name) => leak(name, value))),
    long: ([first, second], value, bytes) =>
      JSON.stringify([
        leak(first, value),
        leak("big", value, { Message: "x".repeat(bytes) }),
        leak(second, value),
      ]),
  },
  trufflehog: {
    ...{ file: "a.jsonl", beside: "b.jsonl", cutAt: inMiddle, streams: true, datedByFile: true },
    open: opened("trufflehog", (directory) => ({
      reports: ["a.jsonl", "b.jsonl"].map((file) => ({ file: `${directory}/${file}`, repository: "shop" })),
    })),
    text: (names, value) => names.map((name) => found(name, value)).join(""),
    long: ([first, second], value, bytes) =>
      `${found(first, value)}${found("big", value, { SourceName: "x".repeat(bytes) })}${found(second, value)}`,
  },
  table: {
    ...{ file: "a.csv", beside: "b.csv", streams: false, datedByFile: true },
    open: opened("table", (directory) => ({
      files: ["a.csv", "b.csv"].map((file) => `${directory}/${file}`),
    })),
    text: (names) => `${tableHead}${names.map(row).join("")}`,
    cutAt: (text) => text.indexOf("für") + 2,
    long: ([first, second], _, bytes) =>
      `${tableHead}${row(first)}big,orders-db,"${"x".repeat(bytes)}"\n${row(second)}`,
  },
  cloudtrail: {
    ...{ file: "a.json", beside: "b.json", cutAt: inMiddle, streams: true },
    open: opened("cloudtrail", (directory) => ({
      ...{ account, region, store: "secrets", issuer: "aws" },
      from: { method: "files", paths: [directory] },
    })),
    text: (names) => trailFile(...names.map((name) => secretRead(name, "apps/für/db"))),
    long: ([first, second], _, bytes) =>
      trailFile(
        secretRead(first, "apps/db"),
        secretRead("big", "apps/db", { userAgent: "x".repeat(bytes) }),
        secretRead(second, "apps/db"),
      ),
    future: (name, _, at) =>
      trailFile(secretRead(name, "apps/db", { eventTime: at.toISOString().replace(".000", "") })),
  },
  "vault-audit": {
    ...{ file: "a.log", beside: "b.log", cutAt: inMiddle, streams: true, waits: true },
    open: opened("vault-audit", (directory) => ({
      store: "main",
      from: { method: "files", paths: ["a.log", "b.log"].map((file) => `${directory}/${file}`) },
    })),
    text: (names) => names.map((name) => `${auditLine(name, "apps/für")}\n`).join(""),
    long: ([first, second], _, bytes) =>
      `${auditLine(first)}\n${auditLine("big", "apps/db", 1, { error: "x".repeat(bytes) })}\n${auditLine(second)}\n`,
    future: (name, _, at) => `${auditLine(name, "apps/db", 1, { time: at.toISOString() })}\n`,
  },
};

it("every kind is tried with broken files, or reads none", () => {
  expect([...Object.keys(cases), ...readNoFile].sort()).toEqual(Object.keys(kinds.sources).sort());
});

for (const [kind, one] of Object.entries(cases)) brokenContract(kind, one);
