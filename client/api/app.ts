/** The API itself: each route, and around all of them who may, how much, how long, and how a failure leaves. */
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { RekeyError } from "../../domain/errors.js";
import type { Services } from "../cli/deps.js";
import { allStanding, oneStanding } from "../cli/standing.js";
import { credentialNamed } from "../cli/subject.js";
import { bodyOf, failureIn, statusOf } from "./answers.js";
import { type CodecDoor, codecRoutes } from "./codec.js";
import { takeDecision } from "./decisions.js";
import type { RateLimit } from "./limit.js";
import { blastAnswer, consumersAnswer, findingAnswer, findingsAnswer } from "./map.js";
import { describeApi } from "./openapi.js";
import type { Readiness } from "./ready.js";
import { patternOf, routes } from "./routes.js";
import { type ScrapeTimes, scrapedFrom } from "./scraped.js";
import { decisionBody } from "./shapes.js";
import type { Tokens } from "./tokens.js";
import { rotationView } from "./views.js";

/** Everything that the API is given. */
export interface ApiDeps {
  readonly services: Pick<Services, "installation" | "inventory" | "rotations">;
  readonly tokens: Tokens;
  /** Opens payloads for Temporal's UI; absent where nobody may. */
  readonly codec?: CodecDoor;
  /** Decisions by sender, and by the person who signed. */
  readonly decisions: RateLimit;
  readonly ready: () => Promise<Readiness>;
  readonly scrapes?: ScrapeTimes | undefined;
  /** This machine's clock, by which it is measured how long something takes and how often somebody sends. */
  readonly now: () => number;
  readonly version: string;
  /** Longest time that one request may take, in milliseconds. */
  readonly requestMsMax: number;
  /** The address that a request came from. */
  readonly senderOf: (context: Context) => string;
  /** A line for whoever runs the server. It names routes and codes, and nothing that was sent. */
  readonly say: (line: string) => void;
}

/** A document is at most 8 kB; the rest is for the JSON around it. */
const bodyBytesMax = 16_384;

/** Makes the application; it listens nowhere yet. */
export function apiOf(deps: ApiDeps): Hono {
  const { services, now } = deps;
  const app = new Hono();

  app.use(async (context, next) => {
    const begun = now();
    await next();
    context.header("Cache-Control", "no-store");
    context.header("X-Content-Type-Options", "nosniff");
    const { pathname } = new URL(context.req.url);
    if (/^\/(v1|codec)\/|^\/metrics$/.test(pathname)) {
      deps.say(`${context.req.method} ${nameOf(pathname)} ${context.res.status} ${now() - begun} ms`);
    }
  });
  app.use("/v1/*", (_, next) => within(deps.requestMsMax, next()));
  app.use("/codec/*", (_, next) => within(deps.requestMsMax, next()));
  app.use(routes.metrics.path, (_, next) => within(deps.requestMsMax, next()));
  app.use(
    "/v1/*",
    bodyLimit({
      maxSize: bodyBytesMax,
      onError: (context) =>
        context.json(bodyOf(new RekeyError("bad-input", "The body is larger than any document.")), 413),
    }),
  );

  const description = describeApi(deps.version);
  app.get(routes.health.path, (context) => context.json({ status: "ok" as const }));
  app.get(routes.ready.path, async (context) => {
    const found = await deps.ready();
    return context.json(found, found.ready ? 200 : 503);
  });
  app.get(routes.description.path, (context) => context.json(description));

  const present = async () => Math.floor(await services.inventory.time());
  const reader = (context: Context) => deps.tokens.check(context.req.header("Authorization"));
  const { inventory } = services;
  const queryOf = (context: Context) => new URL(context.req.url).searchParams;
  const nameIn = (context: Context) => context.req.param("name") ?? "";
  app.get(routes.credentials.path, async (context) => {
    reader(context);
    return context.json(await allStanding(inventory, await present()));
  });
  app.get(patternOf(routes.credential), async (context) => {
    reader(context);
    const subject = await credentialNamed(services, nameIn(context));
    const { look: _, ...told } = await oneStanding(services, subject, await present());
    return context.json(told);
  });
  app.get(patternOf(routes.rotation), async (context) => {
    reader(context);
    return context.json(await rotationView(services, context.req.param("id") ?? "", await present()));
  });
  app.get(patternOf(routes.consumers), async (context) => {
    reader(context);
    return context.json(await consumersAnswer(inventory, nameIn(context), queryOf(context)));
  });
  app.get(patternOf(routes.blast), async (context) => {
    reader(context);
    return context.json(await blastAnswer(inventory, nameIn(context), queryOf(context)));
  });
  app.get(routes.findings.path, async (context) => {
    reader(context);
    return context.json(await findingsAnswer(inventory, queryOf(context)));
  });
  app.get(patternOf(routes.finding), async (context) => {
    reader(context);
    return context.json(await findingAnswer(inventory, context.req.param("number") ?? ""));
  });
  const scraped = scrapedFrom(inventory, now, deps.scrapes);
  app.get(routes.metrics.path, async (context) => {
    reader(context);
    const text = await scraped();
    const isOpen = (context.req.header("Accept") ?? "").includes("application/openmetrics-text");
    const type = isOpen ? "application/openmetrics-text; version=1.0.0" : "text/plain; version=0.0.4";
    return context.text(text, 200, { "Content-Type": `${type}; charset=utf-8` });
  });
  app.post(routes.decide.path, async (context) => {
    deps.decisions.take(`from ${deps.senderOf(context)}`, now());
    const document = await documentIn(context);
    const admit = (person: string) => deps.decisions.take(`by ${person}`, now());
    const sent = await takeDecision({ services, admit }, document);
    return context.json(sent, sent.answered ? 200 : 202);
  });

  if (deps.codec !== undefined) app.route("/codec", codecRoutes(deps.codec));

  app.notFound((context) => {
    const hint = "/openapi.json lists what there is.";
    return context.json(bodyOf(new RekeyError("not-found", "There is no such route.", hint)), 404);
  });
  app.onError((caught, context) => {
    const failure = failureIn(caught);
    if (failure.code === "unauthenticated") context.header("WWW-Authenticate", "Bearer");
    if (["too-many", "unreachable"].includes(failure.code)) context.header("Retry-After", "10");
    return context.json(bodyOf(failure), statusOf(failure.code));
  });
  return app;
}

/** The document in the body. What is wrong with it is said without quoting any of it. */
async function documentIn(context: Context): Promise<string> {
  const text = await context.req.text();
  const parsed = decisionBody.safeParse(asJson(text));
  if (parsed.success) return parsed.data.document;
  throw new RekeyError(
    "bad-input",
    "The body is not an object with a signed document and nothing else.",
    'Send {"document": "..."} as `rekey approve --file` writes documents.',
  );
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Longest wait for the rest; what has begun goes on, and is safe to ask for again. */
async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new RekeyError("unreachable", "It took too long to answer.")), ms);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

const sections = new Set([
  ...Object.values(routes).map(({ path }) => path.split("/")[2]),
  ...["decode", "encode"],
]);

/** The route for the log: names and ids that somebody sends stay out of it. */
function nameOf(pathname: string): string {
  if (pathname === routes.metrics.path) return pathname;
  const [, version = "", section = ""] = pathname.split("/");
  return `/${version}/${sections.has(section) ? section : "?"}`;
}
