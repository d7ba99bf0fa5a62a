/**
 * A connection to Redis as a program of the shop has it: it logs in by one command that also says what it is called,
 * so that it never stands in a listing without a name.
 */
import { createHash } from "node:crypto";
import { ErrorReply, RedisClient as PackagedClient } from "@redis/client";

/** As whom somebody connects. */
export interface RedisLogin {
  readonly username: string;
  readonly password: string;
  /** Its name in the listing of sessions. */
  readonly name: string;
}

/** A connection that is open. */
export type RedisClient = Awaited<ReturnType<typeof connectAs>>;

const connectMsMax = 10_000;
const protocol = { RESP: 2 } as const;
/** Once: `createClient` builds a class of all commands for each server that is not the one of the call before. */
const clientWith = PackagedClient.factory(protocol);

/** Connects to a server and logs in. Throws what the server answers. */
export async function connectAs(at: { host: string; port: number }, login: RedisLogin) {
  const { username, password, name } = login;
  const client = clientWith({
    ...protocol,
    disableClientInfo: true,
    disableOfflineQueue: true,
    socket: { ...at, reconnectStrategy: false, connectTimeout: connectMsMax },
  });
  client.on("error", () => undefined);
  await client.connect();
  try {
    await client.sendCommand(["HELLO", "2", "AUTH", username, password, "SETNAME", name]);
  } catch (error) {
    if (client.isOpen) client.destroy();
    throw error;
  }
  return client;
}

/** Ends it, also where the server already has. */
export function hangUp(client: RedisClient): void {
  if (client.isOpen) client.destroy();
}

/** True for the server's own refusal of a user's password. */
export function isRefused(error: unknown): boolean {
  return error instanceof ErrorReply && error.message.startsWith("WRONGPASS");
}

/** True where the server said nothing: the connection was lost. */
export function isLost(error: unknown): boolean {
  return !(error instanceof ErrorReply);
}

/** What tells one password of a user from another without telling the password: the start of the server's own hash of it. */
export function nameOfPassword(password: string): string {
  return nameOfHash(hashOfPassword(password));
}

/** The hash that the server keeps. */
export function hashOfPassword(password: string): string {
  return createHash("sha256").update(password).digest("hex");
}

/** The same from the hash. */
export function nameOfHash(hash: string): string {
  return `#${hash.slice(0, 12)}`;
}
