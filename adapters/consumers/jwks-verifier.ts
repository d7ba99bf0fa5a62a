/**
 * Sees which signing keys each verifier would accept now, by asking each instance on its own (docs/kinds/
 * jwks-verifier.md). What it answers is public, and whoever answered wrongly would refuse tokens themself; so it
 * needs no seal, only that the answer is this instance's and not an old one.
 */
import { z } from "zod";
import { RekeyError } from "../../domain/errors.js";
import { duration } from "../../domain/estate/duration.js";
import { secretRef } from "../../domain/estate/secret-ref.js";
import type { Finding } from "../../domain/finding.js";
import type { AdapterDeps, Call, Consumer, ConsumerKind, InstanceSeen, ObserveRequest } from "../ports.js";
import { exchange, tlsMaterial, tlsSchema } from "../shared/http.js";
import { type Listed, listInstances, listingSchema } from "../shared/listing.js";
import { retryRead } from "../shared/retry.js";

const config = z.strictObject({
  instances: listingSchema(),
  path: z
    .string()
    .regex(/^\/[\x21-\x7e]*$/, { error: "expected a path that begins with a slash" })
    .prefault("/rekey/keys")
    .describe("Where each instance says which keys it would verify with now."),
  timeout: duration({ positive: true }).prefault("2s").describe("For one instance's answer."),
  bearer: secretRef().optional().describe("Token that instances ask of their callers, as a reference."),
  tls: tlsSchema().optional().describe("How instances are recognised, and how they recognise us."),
});

type Config = z.output<typeof config>;

const answerBytesMax = 64 * 1024;
const nonceBytes = 18;

const answerSchema = z.object({
  instance: z.string().max(256),
  nonce: z.string().max(64),
  kids: z.array(z.string().max(256)).max(1_000),
});

/** Verifiers that say which keys they know. */
export const jwksVerifier: ConsumerKind<typeof config> = {
  config,
  create: (settings, deps) => createJwksVerifier(settings, deps),
};

function createJwksVerifier(settings: Config, deps: AdapterDeps): Consumer {
  const list = async (call: Call) => {
    const tls = await tlsMaterial(settings.tls, deps, call);
    return { tls, instances: await listInstances(settings.instances, tls, settings.timeout, deps, call) };
  };

  const observeOne = async (
    to: Listed,
    tls: Awaited<ReturnType<typeof list>>["tls"],
    { candidates }: Pick<ObserveRequest, "candidates">,
    call: Call,
  ): Promise<InstanceSeen> => {
    const silent = (what: string): InstanceSeen => ({
      instance: to.instance,
      version: null,
      working: false,
      accepts: [],
      sentence: `${to.instance} ${what}.`,
    });
    try {
      const bearer = settings.bearer === undefined ? undefined : await deps.resolve(settings.bearer, call);
      return await retryRead(
        call,
        to.instance,
        async (frame) => {
          const nonce = Buffer.from(deps.random(nonceBytes)).toString("base64url");
          const url = new URL(settings.path, to.url);
          url.searchParams.set("nonce", nonce);
          const answer = await exchange(
            {
              name: to.instance,
              url,
              method: "GET",
              headers: {
                accept: "application/json",
                ...(to.hostName === undefined ? {} : { host: `${to.hostName}:${to.url.port}` }),
                ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer.reveal()}` }),
              },
              tls: { ...(to.hostName === undefined ? {} : { servername: to.hostName }), ...tls },
              answerBytesMax,
            },
            frame,
          );
          if (answer.status !== 200) return silent(`answered with status ${answer.status}`);
          const said = parsed(answer.text);
          if (said === null) return silent("gave an answer that names no keys");
          if (said.nonce !== nonce) return silent("gave an answer to another question");
          if (said.instance !== to.instance) return silent("was answered for by another instance");
          const accepts = candidates
            .filter(({ publicName }) => publicName !== undefined && said.kids.includes(publicName))
            .map(({ version }) => version);
          const names = accepts.length === 0 ? "none of these versions" : accepts.join(" and ");
          const sentence = `${to.instance} accepts ${names}.`;
          return { instance: to.instance, version: null, working: true, accepts, sentence };
        },
        { attempts: 2, attemptTimeoutMs: settings.timeout, pauseMs: 20, pauseMsMax: 100 },
      );
    } catch (error) {
      if (!(error instanceof RekeyError) || error.code !== "unreachable" || call.signal.aborted) throw error;
      return { ...silent(""), sentence: error.message };
    }
  };

  return {
    async preflight(call) {
      try {
        const { tls, instances } = await list(call);
        const seen = await Promise.all(instances.map((to) => observeOne(to, tls, { candidates: [] }, call)));
        const names = instances.map(({ instance }) => instance);
        const twice = [...new Set(names.filter((name, index) => names.indexOf(name) !== index))];
        return [
          ...twice.map((subject) => finding("instance-listed-twice", `${subject} is listed twice.`, subject)),
          ...seen
            .filter(({ working }) => !working)
            .map(({ instance, sentence }) => finding("keys-not-told", sentence, instance)),
        ];
      } catch (error) {
        if (!(error instanceof RekeyError) || call.signal.aborted) throw error;
        return [finding("instances-not-listed", error.message)];
      }
    },

    async observe(request, call) {
      const { tls, instances } = await list(call);
      return Promise.all(instances.map((to) => observeOne(to, tls, request, call)));
    },

    close: async () => {},
  };
}

function finding(code: string, sentence: string, subject?: string): Finding {
  return { code, severity: "refuse", sentence, ...(subject === undefined ? {} : { subject }) };
}

function parsed(text: string): z.output<typeof answerSchema> | null {
  try {
    return answerSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
