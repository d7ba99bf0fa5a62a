/** Who is connected to RabbitMQ right now: as which user, from where, under which name (the management API's connections). */

import { z } from "zod";
import { socketHost } from "../../domain/discovery/match.js";
import { RekeyError } from "../../domain/errors.js";
import { name } from "../../domain/estate/fields.js";
import { secretRef } from "../../domain/estate/secret-ref.js";
import { refusalOf } from "../../domain/finding.js";
import type { AdapterDeps, Call, Source, SourceKind } from "../ports.js";
import { exchange, tlsMaterial, tlsSchema } from "../shared/http.js";
import { resolveLogin } from "../shared/login.js";
import { parseOutput } from "../shared/program.js";
import { retryRead } from "../shared/retry.js";
import { cursorIn, partOf, type Said } from "../shared/source-part.js";
import { gapFindings, type Session, sessionsClaims } from "../shared/source-sessions.js";

const config = z.strictObject({
  url: z
    .url({ protocol: /^https?$/, error: "expected the base URL of the management API" })
    .describe("Base URL of the management API, such as https://rabbit.example.com:15671."),
  issuer: name().describe("The issuer of the estate that this cluster is; its accounts are its users."),
  tls: tlsSchema().optional().describe("How the API's certificate is checked."),
  login: z
    .strictObject({
      username: z.string().min(1).describe("The engine's own user: its name, or a reference to it."),
      password: secretRef().describe("Reference to its password."),
    })
    .describe("As whom the API is asked; both are read anew for each question."),
});

type Config = z.output<typeof config>;

/**
 * The API has nobody in its lists who is logging in, so there is nothing to look at again; the server cuts off after 10 s who has
 * not done it by then, and the API lags by up to 5 s. Both are the server's defaults, in milliseconds.
 */
const shownWithinMs = 10_000 + 5_000;

/** The kind's entry in the registry. */
export const rabbitmqConnections: SourceKind<typeof config> = {
  shows: "now",
  sees: "use",
  deliveredWithinMs: shownWithinMs,
  config,
  create: (settings, deps) => createConnections(settings, deps),
  grants: () => `# Lets Rekey see who is connected. Run it on one node; it asks for a password.
rabbitmqctl add_user rekey_discovery
rabbitmqctl set_user_tags rekey_discovery monitoring
`,
};

const pageSize = 500;
const answerBytesMax = 32 * 1024 * 1024;
/** With one of these a user sees every connection; with any other only its own. */
const seeingTags = ["monitoring", "administrator"];
const cursorSchema = z.strictObject({ at: z.number(), page: z.int().min(1) });

const text = z.string().default("");
const connection = z.object({
  user: text,
  peer_host: text,
  user_provided_name: text,
  connected_at: z.number().optional(),
  client_properties: z.object({ connection_name: z.unknown().optional() }).optional(),
});
const page = z.object({ items: z.array(z.unknown()), page_count: z.int() });
// A list since 3.9, one text before.
const whoami = z.object({
  tags: z.union([z.array(z.string()), z.string().transform((tags) => tags.split(","))]),
});
const nodes = z.array(z.object({ name: z.string(), running: z.boolean() }));

function createConnections(settings: Config, deps: AdapterDeps): Source {
  const ask = <S extends z.ZodType>(schema: S, path: string, call: Call) =>
    retryRead(call, "RabbitMQ", (frame) => askApi(schema, path, settings, deps, frame), {
      attempts: 3,
      attemptTimeoutMs: 10_000,
      pauseMs: 100,
      pauseMsMax: 1_000,
    });
  const gapsNow = async (call: Call): Promise<string[]> => {
    const { tags } = await ask(whoami, "api/whoami", call);
    if (!tags.some((tag) => seeingTags.includes(tag))) {
      return ["The engine's user sees no connections of RabbitMQ but its own: it lacks the tag monitoring."];
    }
    const away = (await ask(nodes, "api/nodes", call)).filter(({ running }) => !running);
    return away.map(
      (node) => `The node ${node.name} of RabbitMQ does not run; who is connected there is not seen.`,
    );
  };
  return {
    async preflight(call) {
      try {
        return gapFindings("rabbitmq-connections-incomplete", await gapsNow(call));
      } catch (error) {
        if (!(error instanceof RekeyError)) throw error;
        return [refusalOf(error)];
      }
    },
    async *scan(cursor: string | null, call: Call) {
      const after = cursor === null ? null : cursorIn(cursorSchema, cursor);
      const at = after?.at ?? deps.now();
      const gaps: Said = { gaps: after === null ? await gapsNow(call) : [], records: 0 };
      for (let number = (after?.page ?? 0) + 1; ; number++) {
        const path = `api/connections?page=${number}&page_size=${pageSize}&sort=name`;
        // A page behind the last one is refused: there are fewer connections by now.
        const found = number > 1 ? await ask(page, path, call).catch(ended) : await ask(page, path, call);
        if (found === null) return;
        const said = pageSaid(found.items, number, settings.issuer, at);
        const first = number === 1 ? [gaps] : [];
        yield partOf([...first, ...said], { from: at, until: at }, JSON.stringify({ at, page: number }));
        if (number >= found.page_count) return;
      }
    },
    close: async () => {},
  };
}

function ended(error: unknown): null {
  if (error instanceof RekeyError && error.code === "bad-input") return null;
  throw error;
}

async function askApi<S extends z.ZodType>(
  schema: S,
  path: string,
  { url, login, tls }: Config,
  deps: AdapterDeps,
  call: Call,
): Promise<z.output<S>> {
  const [{ username: user, password }, material] = await Promise.all([
    resolveLogin(login, deps, call),
    tlsMaterial(tls, deps, call),
  ]);
  const basic = Buffer.from(`${user}:${password.reveal()}`).toString("base64");
  const { status, text: answer } = await exchange(
    {
      name: "RabbitMQ",
      url: new URL(path, url.endsWith("/") ? url : `${url}/`),
      method: "GET",
      headers: { accept: "application/json", authorization: `Basic ${basic}` },
      tls: material,
      answerBytesMax,
    },
    call,
  );
  if (status === 401 || status === 403) {
    throw new RekeyError("not-permitted", "RabbitMQ does not let the engine's user look at this.");
  }
  if (status === 400) throw new RekeyError("bad-input", "RabbitMQ has no such page.");
  if (status !== 200) throw new RekeyError("unreachable", `RabbitMQ answered with status ${status}.`);
  return parseOutput(schema, answer, "RabbitMQ");
}

type Connection = z.output<typeof connection>;

function pageSaid(items: readonly unknown[], number: number, issuer: string, at: number): Said[] {
  const malformed: Said[] = [];
  const known: Connection[] = [];
  for (const [index, item] of items.entries()) {
    const { success, data } = connection.safeParse(item);
    // One that has just begun has no user yet.
    if (success && data.user !== "") known.push(data);
    else if (!success) {
      const where = `connection ${(number - 1) * pageSize + index + 1} of RabbitMQ`;
      malformed.push({ malformed: [{ where, why: "it has not the fields of a connection" }] });
    }
  }
  const seen = { record: "connections of RabbitMQ", issuer, noun: "connection", at };
  const claims = sessionsClaims(known.map(sessionOf), seen);
  const unnamed = items.length - known.length - malformed.length;
  const gap = `${unnamed} connections of RabbitMQ had not said yet as whom they log in.`;
  return [
    { claims, records: known.length },
    ...malformed,
    ...(unnamed > 0 ? [{ gaps: [gap], records: unnamed }] : []),
  ];
}

function nameOf({ user_provided_name: given, client_properties: properties }: Connection): string {
  const own = properties?.connection_name;
  return given !== "" ? given : typeof own === "string" ? own : "";
}

/** It has no sockets, so that nobody comes from one: a name is what somebody else's name server says. */
const unknown: ReadonlySet<string> = new Set(["unknown", socketHost]);

function sessionOf(one: Connection): Session {
  const { user, peer_host: peer, connected_at: beganAt } = one;
  return {
    ...{ account: user, application: nameOf(one), from: unknown.has(peer) ? "" : peer },
    ...(beganAt === undefined ? {} : { beganAt }),
  };
}
