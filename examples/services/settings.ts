/** What the example services are told by their environment; everything but the credential itself. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type EngineKeys, fromFile, fromFolder, fromVault, type Load } from "../../kit/index.js";

/** Where one service is, and whom it answers to; the same whatever it works with. */
export interface ServiceSettings {
  /** Also its `application_name`, and its name in the estate. */
  readonly service: string;
  readonly credential: string;
  readonly httpPort: number;
  readonly load: Load;
  /** The file behind `load`, when it is one, or the link whose change is the change of a folder. */
  readonly file: string | undefined;
  readonly pollMs: number;
  readonly pidFile: string | undefined;
  readonly engineKeys: EngineKeys;
  readonly refuseToMove: boolean;
}

/** The same with the database that it works with. */
export interface Settings extends ServiceSettings {
  readonly database: { readonly host: string; readonly port: number; readonly database: string };
  /** The statement that a request runs; it returns a column `login`. */
  readonly workSql: string;
}

/** Reads the settings. Throws with the name of the variable that is missing. */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  return {
    ...readServiceSettings(env),
    database: {
      host: env.PGHOST ?? "127.0.0.1",
      port: Number(needed(env, "PGPORT")),
      database: needed(env, "PGDATABASE"),
    },
    workSql: env.WORK_SQL ?? "select session_user as login",
  };
}

/** What a service needs that works with something else. `load` reads a store of another kind. Throws with the name of the variable that is missing. */
export function readServiceSettings(env: NodeJS.ProcessEnv, load?: Load): ServiceSettings {
  const disk = onDisk(env);
  return {
    service: needed(env, "SERVICE"),
    credential: needed(env, "CREDENTIAL"),
    httpPort: Number(env.HTTP_PORT ?? 0),
    load: load ?? disk?.load ?? vault(env),
    file: disk?.file,
    pollMs: Number(env.POLL_MS ?? 1000),
    pidFile: env.PID_FILE,
    engineKeys: JSON.parse(env.ENGINE_JWK ?? readFileSync(needed(env, "ENGINE_JWK_FILE"), "utf8")),
    refuseToMove: env.REFUSE_TO_MOVE === "1",
  };
}

/** A store on the disk, and what changes there when the credential does. */
function onDisk({ STORE_FILE: file, STORE_FOLDER: folder }: NodeJS.ProcessEnv) {
  if (file !== undefined) return { load: fromFile(file), file };
  if (folder !== undefined) return { load: fromFolder(folder), file: join(folder, "..data") };
  return undefined;
}

function vault(env: NodeJS.ProcessEnv): Load {
  return fromVault({
    address: needed(env, "VAULT_ADDR"),
    mount: env.VAULT_MOUNT ?? "secret",
    path: needed(env, "VAULT_PATH"),
    login: { token: env.VAULT_TOKEN ?? (() => readFileSync(needed(env, "VAULT_TOKEN_FILE"), "utf8")) },
  });
}

function needed(env: NodeJS.ProcessEnv, name: string): string {
  const value = env[name];
  if (value === undefined || value === "") throw new Error(`The environment variable ${name} is missing.`);
  return value;
}
