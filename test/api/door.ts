/** The API in front of a house: the real server over HTTP, the real inventory and Temporal behind it, and a person's command line that has nothing else. */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { onTestFinished } from "vitest";
import { kinds } from "../../adapters/registry.js";
import { type ApiOptions, startApi } from "../../client/api/start.js";
import type { CliDeps, Services } from "../../client/cli/deps.js";
import { inventoryIn } from "../../client/cli/inventory.js";
import { run } from "../../client/cli/run.js";
import { rotationClient } from "../../client/temporal.js";
import { Secret } from "../../domain/secret.js";
import { newId } from "../../worker/installation.js";
import { temporalServer } from "../setup/servers.js";
import { registeredShapes } from "../support/shapes.js";
import { converter, type House } from "../workflows/house.js";
import { type PersonName, people } from "../workflows/people.js";

/** A door, and how to knock at it. */
export interface Door {
  readonly url: string;
  /** The token that may read. */
  readonly token: string;
  /** Everything that the server has said. */
  readonly lines: string[];
  /** A read, with the token unless another header is given. */
  get(path: string, headers?: Record<string, string>): Promise<Answer>;
  decide(body: unknown, headers?: Record<string, string>): Promise<Answer>;
  stop(): Promise<void>;
}

/** An answer whose body was JSON. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

/** What the API answers from, in a house. */
export async function servicesOf(
  house: House,
): Promise<Pick<Services, "installation" | "inventory" | "rotations">> {
  const { address, namespace } = await temporalServer();
  const rotations = rotationClient({
    connection: { address },
    namespace,
    dataConverter: converter(),
    identity: "api-test",
    randomId: newId,
    // Silence has to be noticed within a test; answers may be slow on a loaded machine.
    deadlines: { answerMs: 5_000 },
  });
  onTestFinished(() => rotations.close());
  const inventory = inventoryIn(house.fresh.db, { randomId: newId, shapes: registeredShapes });
  return { installation: house.installation, inventory, rotations };
}

/** Starts the API; it stops with the test. */
export async function openDoor(
  services: ApiOptions["services"],
  more: Partial<ApiOptions> = {},
): Promise<Door> {
  const token = randomBytes(32).toString("base64url");
  const lines: string[] = [];
  const api = await startApi({
    services,
    tokens: [new Secret(token)],
    listen: { host: "127.0.0.1", port: 0 },
    decisionsPerMinute: 1_000,
    version: "0.0.0",
    now: Date.now,
    say: (line) => lines.push(line),
    ...more,
  });
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= api.stop();
    return stopped;
  };
  onTestFinished(stop);
  return {
    url: api.url,
    token,
    lines,
    get: (path, headers = { Authorization: `Bearer ${token}` }) =>
      answer(fetch(`${api.url}${path}`, { headers })),
    decide: (body, headers = {}) =>
      answer(
        fetch(`${api.url}/v1/decisions`, {
          method: "POST",
          headers: { "Content-Type": "application/json", ...headers },
          body: typeof body === "string" ? body : JSON.stringify(body),
        }),
      ),
    stop,
  };
}

async function answer(asked: Promise<Response>): Promise<Answer> {
  const response = await asked;
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Answer["body"],
  };
}

/** What a command left behind. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `rekey` as that person on a machine of their own: a key, a token, and no way to the installation. */
export async function runAs(person: PersonName, door: Door, argv: readonly string[]): Promise<Ran> {
  const home = await mkdtemp(join(tmpdir(), "rekey-person-"));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  const [key, token] = [join(home, "key.json"), join(home, "token")];
  await writeFile(key, (await people()).keys[person].jwk.reveal(), { mode: 0o600 });
  await writeFile(token, `${door.token}\n`, { mode: 0o600 });
  const printed = { stdout: "", stderr: "" };
  const stdin = new PassThrough();
  stdin.end();
  const nowhere = async (): Promise<never> => {
    throw new Error("this machine reaches no installation");
  };
  const output = (name: "stdout" | "stderr") => ({
    isTTY: false,
    columns: 100,
    writable: true,
    write: (text: string) => {
      printed[name] += text;
    },
  });
  const deps: CliDeps = {
    kinds,
    io: {
      stdin,
      stdout: output("stdout"),
      stderr: output("stderr"),
      env: { REKEY_KEY: key, REKEY_API_TOKEN_FILE: token, REKEY_SERVER: door.url },
      now: Date.now,
      randomId: newId,
      onInterrupt: () => () => undefined,
    },
    connect: nowhere,
    migrate: nowhere,
    auditorsLog: nowhere,
    grants: {},
    adoption: {
      preview: nowhere,
      ask: nowhere,
      decide: nowhere,
      carryOut: () => ({ [Symbol.asyncIterator]: () => ({ next: nowhere }) }),
    },
    processes: { worker: nowhere, server: nowhere, up: nowhere, demo: nowhere },
    version: "0.0.0",
  };
  return { code: await run(argv, deps), ...printed };
}
