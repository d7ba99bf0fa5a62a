/** Sources that read a system of the estate have to mean the one that they name: its mount, its namespace, its account. */
import { expect, it } from "vitest";
import { kinds } from "../../../adapters/registry.js";
import type { KindConfig } from "../../../domain/estate/types.js";

const contradictions = (
  kind: string,
  settings: object,
  systems: { store?: KindConfig; issuer?: KindConfig },
): [string, string][] => {
  const source = kinds.sources[kind];
  const config = source?.config.parse(settings) ?? {};
  const found = source?.contradicts?.(config, { store: systems.store, issuer: systems.issuer }) ?? [];
  return found.map(({ field, hint }) => [field, hint]);
};

it("vault-audit reads the mount and the namespace of its store", () => {
  const log = { store: "main", from: { method: "files", paths: ["/var/log/vault"] } };
  const store = (more: object): KindConfig => ({ kind: "vault", mount: "secret", ...more });
  const found = (settings: object, system: KindConfig | undefined) =>
    contradictions("vault-audit", { ...log, ...settings }, system === undefined ? {} : { store: system });
  expect(found({}, store({}))).toEqual([]);
  expect(found({ mount: "kv", namespace: "team" }, store({ mount: "kv", namespace: "team" }))).toEqual([]);
  expect(found({}, undefined)).toEqual([]);
  expect(found({}, store({ mount: "kv", namespace: "team" }))).toEqual([
    ["mount", 'say "kv", or name another store'],
    ["namespace", 'say "team", or name another store'],
  ]);
  expect(found({ namespace: "team" }, store({}))).toEqual([["namespace", "leave it out"]]);
  expect(found({}, { kind: "file" })).toEqual([["store", "name one of the kind vault"]]);
});

it("cloudtrail reads the account and the region of its store, and the account of its issuer", () => {
  const account = "123456789012";
  const region = "eu-central-1";
  const other = "210987654321";
  const trail = { account, region, store: "s", issuer: "i", from: { method: "files", paths: ["/trail"] } };
  const store = { kind: "aws-secrets-manager", account, region };
  const issuer = { kind: "aws-iam", account, region: "us-east-1" };
  expect(contradictions("cloudtrail", trail, { store, issuer })).toEqual([]);
  expect(
    contradictions("cloudtrail", trail, {
      store: { ...store, region: "eu-west-1" },
      issuer: { ...issuer, account: other },
    }),
  ).toEqual([
    ["region", 'say "eu-west-1", or name another store'],
    ["account", `say "${other}", or name another issuer`],
  ]);
});

it("aws-iam-report lists the users of its issuer's account", () => {
  const settings = { account: "123456789012", region: "eu-central-1", issuer: "i", auth: { method: "sdk" } };
  const issuer = { kind: "aws-iam", account: "123456789012" };
  expect(contradictions("aws-iam-report", settings, { issuer })).toEqual([]);
  expect(contradictions("aws-iam-report", settings, { issuer: { ...issuer, account: "2" } })).toEqual([
    ["account", 'say "2", or name another issuer'],
  ]);
  expect(contradictions("aws-iam-report", settings, { issuer: { kind: "postgres" } })).toHaveLength(1);
});
