/**
 * Sees which version each instance holds by asking each on its own for a sealed answer (docs/attestation.md).
 * Nothing an instance merely says is believed: only the key that stands beside a version's value proves it.
 */
import { z } from "zod";
import { RekeyError } from "../../domain/errors.js";
import { duration } from "../../domain/estate/duration.js";
import { secretRef } from "../../domain/estate/secret-ref.js";
import type { Finding, Severity } from "../../domain/finding.js";
import type { AdapterDeps, Call, Consumer, ConsumerKind, ObserveRequest } from "../ports.js";
import { challengeFor, claims, readAnswer, unproven } from "../shared/attestation.js";
import { exchange, type Incoming, type TlsMaterial, tlsMaterial, tlsSchema } from "../shared/http.js";
import { type Listed, listInstances, listingSchema } from "../shared/listing.js";
import { retryRead, within } from "../shared/retry.js";

const config = z.strictObject({
  instances: listingSchema(),
  path: z
    .string()
    .regex(/^\/[\x21-\x7e]*$/, { error: "expected a path that begins with a slash" })
    .prefault("/rekey/attest")
    .describe("Where each instance answers challenges."),
  timeout: duration({ positive: true }).prefault("2s").describe("For one instance's answer."),
  bearer: secretRef().optional().describe("Token that instances ask of their callers, as a reference."),
  tls: tlsSchema().optional().describe("How instances are recognised, and how they recognise us."),
  nudge: z
    .boolean()
    .prefault(true)
    .describe("Tell each instance, by a signed message, to look at its store when a new version is there."),
});

type Config = z.output<typeof config>;

/** More at once would be a burst on the network that looks like an attack. */
const parallelMax = 64;

const answerBytesMax = 4096;

/** What a refusal means for the reader; the words are the protocol's and nothing else is repeated. */
const refusals = {
  signature: "does not know the engine's key",
  expired: "found the challenge expired; one of the two clocks is off",
  "not-for-me": "says that the challenge is not for it; its names differ from the estate's",
  replayed: "has seen this challenge before",
  rate: "is asked too often",
  caller: "does not accept us as its caller",
  malformed: "does not understand the challenge",
} as const;

/** Instances that answer signed challenges over HTTP, with the kit or by the specification. */
export const httpAttest: ConsumerKind<typeof config> = {
  config,
  create: (settings, deps) => createHttpAttest(settings, deps),
};

interface Link {
  readonly tls: TlsMaterial;
  readonly headers: Readonly<Record<string, string>>;
}

function createHttpAttest(settings: Config, deps: AdapterDeps): Consumer {
  const list = (link: Link, call: Call) =>
    listInstances(settings.instances, link.tls, settings.timeout, deps, call);

  const link = async (call: Call): Promise<Link> => {
    const bearer = settings.bearer === undefined ? undefined : await deps.resolve(settings.bearer, call);
    return {
      tls: await tlsMaterial(settings.tls, deps, call),
      headers: {
        "content-type": "application/jose",
        ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer.reveal()}` }),
      },
    };
  };

  const post = (to: Listed, body: string, { tls, headers }: Link, frame: Call): Promise<Incoming> => {
    const named = to.hostName === undefined ? {} : { host: `${to.hostName}:${to.url.port}` };
    const servername = to.hostName === undefined ? {} : { servername: to.hostName };
    return exchange(
      {
        name: to.instance,
        url: new URL(settings.path, to.url),
        method: "POST",
        headers: { ...headers, ...named },
        body,
        tls: { ...servername, ...tls },
        answerBytesMax,
      },
      frame,
    );
  };

  /** Each try is a new question: a nonce that may have arrived is never sent again. */
  const ask = <T>(to: Listed, call: Call, question: (frame: Call) => Promise<T>): Promise<T> =>
    retryRead(call, to.instance, question, {
      attempts: 2,
      attemptTimeoutMs: settings.timeout,
      pauseMs: 20,
      pauseMsMax: 100,
    });

  const observeOne = async (request: ObserveRequest, to: Listed, over: Link, call: Call) => {
    try {
      return await ask(to, call, async (frame) => {
        const challenge = challengeFor(request, to.instance, deps.now(), deps.random);
        const answer = await post(to, await deps.signChallenge(challenge), over, frame);
        if (answer.status === 200) return readAnswer(answer.text, challenge, request.candidates);
        return unproven(to.instance, refusalOf(answer) ?? notAttestation(answer));
      });
    } catch (error) {
      if (!(error instanceof RekeyError) || error.code !== "unreachable" || call.signal.aborted) throw error;
      return { instance: to.instance, version: null, working: false, sentence: error.message };
    }
  };

  const tell = async (
    claim: { credential: string; consumer: string },
    to: Listed,
    over: Link,
    call: Call,
  ) => {
    try {
      return await ask(to, call, async (frame) => {
        const { installation } = deps;
        const from = { typ: "rekey-reload/1", installation, instance: to.instance };
        const message = { ...from, ...claim, ...claims(deps.now(), deps.random) };
        const { status } = await post(to, await deps.signChallenge(message), over, frame);
        return status >= 200 && status < 300;
      });
    } catch (error) {
      if (error instanceof RekeyError && error.code === "unreachable") return false;
      throw error;
    }
  };

  return {
    async preflight(call) {
      const over = await link(call);
      let instances: Listed[];
      try {
        instances = await list(over, call);
      } catch (error) {
        if (!(error instanceof RekeyError)) throw error;
        return [{ code: "instances-not-listed", severity: "refuse", sentence: error.message }];
      }
      const found = instances.length > 0 ? [] : [emptyListing];
      const each = await inTurns(instances, (to) =>
        preflightOne(to, () => post(to, "{}", over, within(call, settings.timeout))),
      );
      return [...found, ...duplicatesIn(instances), ...each.flat()];
    },

    ...(settings.nudge
      ? {
          async deliver({ credential, consumer }, call) {
            const over = await link(call);
            const instances = await list(over, call);
            const told = await inTurns(instances, (to) => tell({ credential, consumer }, to, over, call));
            const deaf = told.filter((heard) => !heard).length;
            if (deaf > 0) {
              throw new RekeyError("unreachable", `${deaf} of ${told.length} instances could not be told.`);
            }
          },
        }
      : {}),

    async observe(request, call) {
      const over = await link(call);
      const instances = await list(over, call);
      const twice = namesListedTwice(instances);
      const once = [...new Map(instances.map((to) => [to.instance, to])).values()];
      return await inTurns(once, (to) =>
        twice.has(to.instance)
          ? unproven(to.instance, "is listed twice, so one answer cannot stand for it")
          : observeOne(request, to, over, call),
      );
    },

    close: async () => {},
  } satisfies Consumer;
}

/** What the kit's refusal means; `undefined` for an answer that is none. */
function refusalOf(answer: Incoming): string | undefined {
  const word = /^\{"error":"([a-z-]{1,20})"\}$/.exec(answer.text)?.[1] ?? "";
  return Object.hasOwn(refusals, word) ? refusals[word as keyof typeof refusals] : undefined;
}

function notAttestation(answer: Incoming): string {
  return `answered with status ${answer.status}, which is not an attestation`;
}

const emptyListing: Finding = {
  code: "no-instances",
  severity: "warn",
  sentence: "The listing has no instances now, and an empty listing proves nothing.",
};

function duplicatesIn(instances: readonly Listed[]): Finding[] {
  return [...namesListedTwice(instances)].map((subject) => ({
    code: "instance-listed-twice",
    severity: "refuse",
    sentence: `${subject} is listed twice, so one answer cannot stand for it.`,
    subject,
  }));
}

function namesListedTwice(instances: readonly Listed[]): Set<string> {
  const names = instances.map((to) => to.instance);
  return new Set(names.filter((name, i) => names.indexOf(name) !== i));
}

/** Asks without a signature, and expects to be refused: an endpoint that answers anybody is an oracle (H6). */
async function preflightOne(to: Listed, unsigned: () => Promise<Incoming>): Promise<Finding[]> {
  const subject = to.instance;
  const finding = (code: string, severity: Severity, what: string): Finding => ({
    code,
    severity,
    sentence: `${subject} ${what}.`,
    subject,
  });
  const open = isOpenNetwork(to.url) ? [finding("plain-http", "warn", "is asked without TLS")] : [];
  try {
    const answer = await unsigned();
    if (answer.status >= 200 && answer.status < 300) {
      return [...open, finding("answers-unsigned", "refuse", "answers a challenge that nobody signed")];
    }
    const refusal = refusalOf(answer);
    if (refusal === refusals.caller) return [...open, finding("caller-refused", "refuse", refusal)];
    if (refusal === undefined) return [...open, finding("no-attestation", "refuse", notAttestation(answer))];
    return open;
  } catch (error) {
    if (!(error instanceof RekeyError)) throw error;
    return [...open, { code: "instance-silent", severity: "warn", sentence: error.message, subject }];
  }
}

function isOpenNetwork(url: URL): boolean {
  return url.protocol === "http:" && !["127.0.0.1", "[::1]", "localhost"].includes(url.hostname);
}

/** The results in the order of the items, with a bounded number under way at once. */
async function inTurns<T, R>(items: readonly T[], work: (item: T) => R | Promise<R>): Promise<R[]> {
  const results: R[] = new Array(items.length);
  let next = 0;
  const worker = async () => {
    for (let i = next++; i < items.length; i = next++) results[i] = await work(items[i] as T);
  };
  await Promise.all(Array.from({ length: Math.min(parallelMax, items.length) }, worker));
  return results;
}
