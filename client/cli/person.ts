/** Who is speaking, and the key that proves it. A key that others can read proves nothing, so it is refused. */
import { open } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { RekeyError } from "../../domain/errors.js";
import { Secret } from "../../domain/secret.js";
import { readKey, type SigningKey } from "../documents.js";
import type { AsOptions } from "./command.js";
import type { Io } from "./deps.js";

const keyBytesMax = 10_000;

/** Where the person's private key is: the option, REKEY_KEY, or the usual place. */
export function keyPath(io: Pick<Io, "env">, given?: string): string {
  const named = given ?? io.env.REKEY_KEY;
  if (named !== undefined && named !== "") return resolve(named);
  return join(io.env.XDG_CONFIG_HOME || join(homedir(), ".config"), "rekey", "key.json");
}

/** The name in the estate. Throws `bad-input` where none was given. */
export function personFor(io: Pick<Io, "env">, given?: string): string {
  const person = given ?? io.env.REKEY_PERSON ?? "";
  if (person !== "") return person;
  throw new RekeyError(
    "bad-input",
    "It is not said who is speaking.",
    "Add --as PERSON, or set REKEY_PERSON.",
  );
}

/** Who asks for something that is not signed: as said, else the account that runs the program. */
export function requester(io: Pick<Io, "env">, given?: string): string {
  return given || io.env.REKEY_PERSON || io.env.USER || io.env.LOGNAME || "unknown";
}

/** The key to sign with. Throws `bad-input` when it is missing, unreadable, open to others, or somebody else's. */
export async function signingKey(io: Pick<Io, "env">, { as, key }: AsOptions): Promise<SigningKey> {
  const file = keyPath(io, key);
  const hint = "Name it with --key FILE or REKEY_KEY, or make one with `rekey keygen --as PERSON`.";
  const read = readKey(await privateText(file, "key", hint));
  const person = as ?? io.env.REKEY_PERSON ?? read.person;
  if (person !== read.person) {
    throw new RekeyError(
      "bad-input",
      `The key in ${file} is ${read.person}'s and cannot sign for ${person}.`,
      "Name the other key with --key FILE, or leave out --as.",
    );
  }
  return read;
}

/** What is in a file that nobody else can read. `what` names it in errors. Throws `bad-input` for any other file. */
export async function privateText(file: string, what: "key" | "token", hint: string): Promise<Secret> {
  const handle = await open(file, "r").catch((failure: NodeJS.ErrnoException) => {
    throw new RekeyError(
      "bad-input",
      `The ${what} ${file} cannot be read (${failure.code ?? "no reason given"}).`,
      hint,
    );
  });
  try {
    const found = await handle.stat();
    if (!found.isFile() || found.size > keyBytesMax) {
      throw new RekeyError("bad-input", `${file} is not a ${what}.`, hint);
    }
    if ((found.mode & 0o077) !== 0 && process.platform !== "win32") {
      throw new RekeyError(
        "bad-input",
        `The ${what} ${file} can be read by others.`,
        `Run: chmod 600 ${file}`,
      );
    }
    return Secret.fromBytes(await handle.readFile());
  } finally {
    await handle.close();
  }
}
