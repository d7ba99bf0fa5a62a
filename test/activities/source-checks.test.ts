/** The check-up of sources: what each kind finds before it is read reaches the doctor, and none that fails or hangs hides another. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { houseWork } from "../../activities/house.js";
import { sourceDiagnoses } from "../../activities/source-checks.js";
import { kinds } from "../../adapters/registry.js";
import { RekeyError } from "../../domain/errors.js";
import type { Estate } from "../../domain/estate/types.js";
import { applyEstate } from "../../inventory/estate.js";
import { sourceOpener } from "../../worker/systems.js";
import { depsOf } from "../contract/stores/world.js";
import { newId, sampleEstate, t0 } from "../inventory/world.js";
import { postgresServer } from "../setup/servers.js";
import { openDesk } from "./desk.js";

const none = "/nowhere/at-all";
const nobody = { host: "127.0.0.1", port: 1 };
const login = { username: "looks", password: "env:REKEY_NOT_SET" };
const folder = { directory: none, name: "shop" };
const cloud = { account: "123456789012", region: "eu-central-1", issuer: "aws" };
const keys = { method: "keys", accessKeyId: "env:REKEY_NOT_SET", secretAccessKey: "env:REKEY_NOT_SET" };
const auth = { auth: keys, endpoint: "http://127.0.0.1:1" };

/** Settings of each kind under which it cannot be read: nothing is there, nothing answers, or a right of ours is not set. */
const unreadable: Record<string, object> = {
  "aws-iam-report": { ...cloud, ...auth },
  cloudtrail: { ...cloud, store: "secrets", from: { method: "files", paths: [none] } },
  command: { command: [none] },
  compose: folder,
  "env-files": folder,
  "github-actions": folder,
  "gitlab-ci": folder,
  gitleaks: { reports: [{ file: none, repository: "shop" }] },
  kubernetes: {
    cluster: "prod",
    connect: { method: "server", url: "https://127.0.0.1:1", token: "env:REKEY_NOT_SET" },
  },
  "kubernetes-manifests": { directory: none, cluster: "prod" },
  "mysql-processlist": { issuer: "db", nodes: [nobody], login },
  "postgres-activity": { issuer: "db", ...nobody, login },
  "rabbitmq-connections": { issuer: "queue", url: "http://127.0.0.1:1", login },
  "redis-clients": { issuer: "cache", nodes: [nobody], login },
  table: { files: [none] },
  terraform: folder,
  "tls-endpoints": { endpoints: [nobody] },
  trufflehog: { reports: [{ file: none, repository: "shop" }] },
  "vault-audit": { store: "main", from: { method: "files", paths: [none] } },
};

/** A source as an estate says it. */
interface Said extends Readonly<Record<string, unknown>> {
  readonly kind: string;
}

/** A desk whose estate has these sources, opened as a worker opens them. */
async function desked(said: Readonly<Record<string, Said>>) {
  const desk = await openDesk();
  const { db } = desk.fresh;
  const sources = Object.fromEntries(
    Object.entries(said).map(([name, { kind, ...settings }]) => {
      const parsed = kinds.sources[kind]?.config.parse(settings) as object;
      return [name, { kind, owner: "platform", ...parsed }];
    }),
  ) as unknown as Estate["sources"];
  const estate = { ...sampleEstate(), sources };
  await applyEstate(db, { estate, digest: "d2", by: "platform", now: t0, newId });
  return { ...desk, deps: { ...desk.deps, source: sourceOpener(db, depsOf({ "env:REKEY_SET": "right" })) } };
}

test("what each registered kind of source lacks is a diagnosis of its own", async () => {
  expect(Object.keys(unreadable).sort()).toEqual(Object.keys(kinds.sources).sort());
  const sources = Object.fromEntries(
    Object.entries(unreadable).map(([kind, how]) => [kind, { kind, ...how }]),
  );
  const { deps, run } = await desked(sources);
  const all = await run(() => sourceDiagnoses(deps));
  expect(all.map(({ subject }) => subject)).toEqual(Object.keys(unreadable).map((kind) => `source ${kind}`));
  for (const { subject, findings } of all) {
    expect(findings.length, subject).toBeGreaterThan(0);
    // A sentence of ours, and not that something unexpected came out.
    expect(
      findings.map(({ code }) => code),
      subject,
    ).not.toContain("unknown-outcome");
  }
});

test("a real server and a real folder that can be read lack nothing, and a right that is not set is named beside them", async () => {
  const { host, port, user, password } = await postgresServer();
  const directory = await mkdtemp(join(tmpdir(), "rekey-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  const server = { kind: "postgres-activity", issuer: "db", host, port };
  const { deps, run } = await desked({
    compose: { kind: "compose", ...folder, directory },
    sessions: { ...server, login: { username: user, password: "env:ROOT" } },
    unset: { ...server, login },
  });
  const opened = sourceOpener(deps.db, depsOf({ "env:ROOT": password.reveal() }));
  const all = await run(() => houseWork({ ...deps, source: opened }).diagnose());
  const ofSources = all.filter(({ subject }) => subject.startsWith("source "));
  expect(ofSources).toMatchObject([
    { subject: "source compose", findings: [] },
    { subject: "source sessions", findings: [] },
    {
      subject: "source unset",
      findings: [{ severity: "refuse", sentence: expect.stringContaining("REKEY_NOT_SET") }],
    },
  ]);
});

test("a source that hangs is given up at its deadline, one that is unknown says so, and both are closed and hide none", async () => {
  const { deps, run } = await desked({
    hangs: { kind: "compose", ...folder },
    sound: { kind: "compose", ...folder },
    unknown: { kind: "compose", ...folder },
  });
  const closed: string[] = [];
  const source = async (name: string) => {
    if (name === "unknown") throw new RekeyError("not-found", "No such kind.", "Start a newer worker.");
    const preflight = () => (name === "hangs" ? new Promise<never>(() => undefined) : Promise.resolve([]));
    return {
      ...{ id: name, shows: "now" as const, settings: "" },
      source: { preflight, async *scan() {}, close: async () => void closed.push(name) },
    };
  };
  const all = await run(() => sourceDiagnoses({ ...deps, source }, 50));
  expect(all).toMatchObject([
    { subject: "source hangs", findings: [{ code: "unreachable", severity: "refuse" }] },
    { subject: "source sound", findings: [] },
    { subject: "source unknown", findings: [{ code: "not-found", hint: "Start a newer worker." }] },
  ]);
  expect(closed.sort()).toEqual(["hangs", "sound"]);
});
