/**
 * Temporal's remote codec, for the people who look at histories in Temporal's UI or with its command line: it opens
 * sealed payloads for whoever has a token of its own. Nothing in them is a value (I6). It seals nothing: what it sealed
 * for a stranger would pass for a message of ours (H7).
 */
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { cors } from "hono/cors";
import { z } from "zod";
import { RekeyError } from "../../domain/errors.js";
import { bodyOf } from "./answers.js";
import type { Tokens } from "./tokens.js";

/** A payload in Temporal's form; the API knows nothing else of Temporal. */
interface Payload {
  readonly metadata?: { [name: string]: Uint8Array } | null;
  readonly data?: Uint8Array | null;
}

/** What the codec's door is opened with. */
export interface CodecDoor {
  readonly codec: { readonly decode: (payloads: Payload[]) => Promise<Payload[]> };
  readonly tokens: Tokens;
  /** The page that may ask from a browser, such as `https://temporal.example.com`; none may without it. */
  readonly origin?: string;
}

/** A page of a history with all of its payloads. */
const bodyBytesMax = 8 * 1024 * 1024;
const payloadsMax = 5_000;

const base64 = z.base64();
const payloads = z.object({
  payloads: z
    .array(z.object({ metadata: z.record(z.string(), base64).default({}), data: base64.default("") }))
    .max(payloadsMax),
});

/** The routes below `/codec`: `POST /decode` as Temporal asks it, and `/encode`, which is refused. */
export function codecRoutes({ codec, tokens, origin }: CodecDoor): Hono {
  const app = new Hono();
  if (origin !== undefined) {
    // Without credentials: a token is sent on purpose, and a browser adds nothing by itself.
    const allowHeaders = ["Authorization", "Content-Type", "X-Namespace"];
    app.use(cors({ origin, allowMethods: ["POST"], allowHeaders, maxAge: 600 }));
  }
  app.use(async (context, next) => {
    tokens.check(context.req.header("Authorization"));
    await next();
  });
  app.use(
    bodyLimit({
      maxSize: bodyBytesMax,
      onError: (context) => context.json(bodyOf(new RekeyError("bad-input", "The body is too large.")), 413),
    }),
  );
  app.post("/decode", async (context) => {
    const opened = await codec.decode(await payloadsIn(context));
    return context.json({ payloads: opened.map(written) });
  });
  app.post("/encode", () => {
    throw new RekeyError("refused-by-policy", "This codec opens and does not seal.");
  });
  return app;
}

async function payloadsIn(context: Context): Promise<Payload[]> {
  const parsed = payloads.safeParse(await context.req.json().catch(() => null));
  if (!parsed.success) throw new RekeyError("bad-input", "The body is not Temporal's list of payloads.");
  return parsed.data.payloads.map(({ metadata, data }) => ({
    metadata: Object.fromEntries(
      Object.entries(metadata).map(([name, text]) => [name, Buffer.from(text, "base64")]),
    ),
    data: Buffer.from(data, "base64"),
  }));
}

function written({ metadata, data }: Payload) {
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
  return {
    metadata: Object.fromEntries(Object.entries(metadata ?? {}).map(([name, bytes]) => [name, text(bytes)])),
    data: text(data ?? new Uint8Array()),
  };
}
