/**
 * Where a person decides: at the installation itself, or through its API, for people who reach neither Temporal
 * nor the inventory. Either way the plan's digest is computed anew from what is shown before anything is signed.
 */
import { homedir } from "node:os";
import { join } from "node:path";
import { RekeyError } from "../../domain/errors.js";
import type { Policy } from "../../domain/estate/types.js";
import { Secret } from "../../domain/secret.js";
import { type ApiClient, apiClient } from "../api/client.js";
import type { Cli } from "./cli.js";
import { type Case, checkPlan, lookToDecide } from "./decide.js";
import type { Io, Services } from "./deps.js";
import { namesOf } from "./format/names.js";
import type { Look } from "./look.js";
import { privateText } from "./person.js";
import { type Sent, send } from "./signing.js";
import { openSubject } from "./subject.js";

/** Where decisions are read and given. */
export interface Desk {
  /** The open rotation of that credential. Throws `not-found` when there is none, `unreachable` while it has no plan. */
  look(name: string): Promise<Case>;
  /** Sends a signed document to the rotation of that credential. Throws `decision-refused` when it does not count. */
  send(name: string, document: string): Promise<Sent>;
}

/** The desk that was asked for: `--server`, REKEY_SERVER, or the installation. */
export async function deskFor(
  cli: Cli,
  options: { readonly server?: string; readonly token?: string },
): Promise<Desk> {
  const url = serverOf(cli, options);
  if (url === "") return deskAt(cli, await cli.services());
  const api = apiClient({ url, token: () => apiToken(cli.io, options.token) });
  return deskBehind(api, cli.now);
}

/** The API that was asked for; `""` for the installation itself. */
export function serverOf({ io }: Pick<Cli, "io">, { server }: { readonly server?: string }): string {
  return server ?? io.env.REKEY_SERVER ?? "";
}

/** Decides at the installation itself. */
function deskAt(cli: Cli, services: Services): Desk {
  return {
    async look(name) {
      const subject = await openSubject(services, name);
      const look = await lookToDecide(cli, services, subject);
      const entry = (await services.inventory.entries("policies")).find((one) => one.name === subject.policy);
      return {
        subject,
        look,
        validForMs: (entry?.body as unknown as Policy | undefined)?.approval.validForMs,
      };
    },
    async send(name, document) {
      const { open } = await openSubject(services, name);
      return send(services, open.workflowId, document);
    },
  };
}

/** Decides through the API. Its answers are not trusted: what is signed was checked here against its digest. */
function deskBehind(api: ApiClient, now: () => number): Desk {
  return {
    async look(name) {
      const id = await api.openRotation(name);
      if (id === null) throw new RekeyError("not-found", `No rotation of ${name} is open.`);
      const found = await api.rotation(id);
      const { workflow, standing: _standing, state, timeline, ...row } = found.rotation;
      if (state.plan === null) {
        const hint = "Try again in a moment.";
        throw new RekeyError("unreachable", `The rotation of ${name} has no plan yet.`, hint);
      }
      // The shape of what is signed was checked; the rest is only printed, and the digest is computed below.
      const look = { row, workflow, state, timeline, doing: null, now: now() } as unknown as Look;
      for (const plan of [look.state.plan, ...look.state.amendments]) {
        if (plan !== null) checkPlan(plan, look.state, "required");
      }
      return {
        subject: { name, purpose: found.purpose, names: namesOf(Object.entries(found.names)) },
        look,
        validForMs: found.validForMs ?? undefined,
      };
    },
    send: (_name, document) => api.decide(document),
  };
}

/** The token for the API, from the file named, REKEY_API_TOKEN_FILE, or the usual place. Throws `bad-input`. */
async function apiToken(io: Pick<Io, "env">, given?: string): Promise<Secret> {
  const named = given ?? io.env.REKEY_API_TOKEN_FILE ?? "";
  const usual = join(io.env.XDG_CONFIG_HOME || join(homedir(), ".config"), "rekey", "api-token");
  const text = await privateText(
    named === "" ? usual : named,
    "token",
    "Name it with --token FILE or REKEY_API_TOKEN_FILE; whoever runs the server has it.",
  );
  return new Secret(text.reveal().trim());
}
