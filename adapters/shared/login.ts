/** A login as an estate writes it, with what it stands for now: both parts can be replaced while the engine runs. */
import { isSecretRef } from "../../domain/estate/secret-ref.js";
import type { Secret } from "../../domain/secret.js";
import type { AdapterDeps, Call } from "../ports.js";

/** The name itself where it is none of a reference; the value always comes by one. Both are read at once. */
export async function resolveLogin(
  { username, password }: { readonly username: string; readonly password: string },
  { resolve }: Pick<AdapterDeps, "resolve">,
  call: Call,
): Promise<{ readonly username: string; readonly password: Secret }> {
  const [name, value] = await Promise.all([
    isSecretRef(username) ? resolve(username, call).then((found) => found.reveal()) : username,
    resolve(password, call),
  ]);
  return { username: name, password: value };
}
