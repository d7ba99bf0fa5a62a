/**
 * One request to AWS through its SDK, for every kind that speaks to it: settings, deadlines, and the edge at which the
 * SDK's errors end. They carry what AWS said and the request itself, either of which may quote a value (H33, I6).
 */
import { z } from "zod";
import { RekeyError } from "../../domain/errors.js";
import { duration } from "../../domain/estate/duration.js";
import { secretRef } from "../../domain/estate/secret-ref.js";
import type { AdapterDeps, Call } from "../ports.js";
import { orWhenOver, retryRead, within } from "./retry.js";

const keysAuth = z
  .object({
    method: z.literal("keys").describe("An access key of the engine's own."),
    accessKeyId: secretRef().describe("Where the access key's id is; read anew at each request."),
    secretAccessKey: secretRef().describe("Where its secret is; read anew at each request."),
    sessionToken: secretRef().optional().describe("Where the session token is, for temporary credentials."),
  })
  .strict();

const sdkAuth = z
  .object({
    method: z
      .literal("sdk")
      .describe(
        "What the AWS SDK finds by itself: the role of the pod, task or instance, or the environment.",
      ),
  })
  .strict();

/** Settings that every kind of AWS has. The account is asked for, so that a wrong login is the wrong server (H9). */
export const awsFields = {
  account: z
    .string({ error: "expected the twelve digits of an AWS account" })
    .regex(/^\d{12}$/, { error: "expected the twelve digits of an AWS account" })
    .describe("The AWS account, twelve digits. An answer from another one is refused."),
  region: z
    .string()
    .regex(/^[a-z]{2}(?:-[a-z]+)+-\d$/, { error: "expected a region such as eu-central-1" })
    .describe("The region, such as eu-central-1."),
  endpoint: z
    .url({ protocol: /^https?$/, error: "expected a base URL, such as https://vpce-1.example.com" })
    .optional()
    .describe("Base URL, where it is not the public one: a VPC endpoint, another partition."),
  auth: z.discriminatedUnion("method", [keysAuth, sdkAuth]).describe("How Rekey logs in to AWS."),
  timeout: duration({ positive: true })
    .default(5_000)
    .describe("Longest time for one request, such as 5s; a step may make several."),
};

/** The parsed settings that every kind of AWS has. */
export type AwsSettings = z.output<z.ZodObject<typeof awsFields>>;

/** The public base URL of a service in a region. */
export function publicEndpoint(service: string, region: string): string {
  return `https://${service}.${region}.amazonaws.com${region.startsWith("cn-") ? ".cn" : ""}`;
}

/**
 * What every client of the SDK is made with: one try (what may be repeated is repeated here), the endpoint said, so that
 * no variable of the environment moves it, no log, and the engine's own key fresh for each request (H15).
 */
export function clientOptions(settings: AwsSettings, endpoint: string, deps: AdapterDeps) {
  const { auth, timeout } = settings;
  const secret = async (reference: string) =>
    (await deps.resolve(reference, { signal: AbortSignal.timeout(timeout) })).reveal();
  const credentials = async () => {
    if (auth.method !== "keys") throw new RekeyError("internal", "There is no key to be read.");
    return {
      accessKeyId: await secret(auth.accessKeyId),
      secretAccessKey: await secret(auth.secretAccessKey),
      ...(auth.sessionToken === undefined ? {} : { sessionToken: await secret(auth.sessionToken) }),
      // What is about to end is fetched anew for the next request.
      expiration: new Date(deps.now()),
    };
  };
  return {
    region: settings.region,
    endpoint,
    maxAttempts: 1,
    useFipsEndpoint: false,
    useDualstackEndpoint: false,
    logger: silent,
    requestHandler: { connectionTimeout: timeout, requestTimeout: timeout, throwOnRequestTimeout: true },
    ...(auth.method === "keys" ? { credentials } : {}),
  };
}

const nothing = () => undefined;
const silent = { trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing };

/** A refusal with one of the codes that the caller said it can do something about. */
export class Refused {
  constructor(readonly code: string) {}
}

/** One request: what it is called in sentences, whether it changes anything, and the codes that the caller handles. */
export interface AwsRequest {
  readonly server: string;
  /** What the right is called, such as `secretsmanager:GetSecretValue`. */
  readonly action: string;
  readonly kind: "read" | "change";
  readonly handled?: readonly string[];
  readonly timeoutMs: number;
}

/**
 * Sends a request once. Answers `Refused` for the codes in `handled`. Throws `unreachable`, `unknown-outcome` (a change
 * of which nothing came back), `wrong-server`, `not-permitted`, `unsupported`.
 */
export async function sendAws<T>(
  request: AwsRequest,
  call: Call,
  send: (options: { abortSignal: AbortSignal }) => Promise<T>,
): Promise<T | Refused> {
  const late = () => noAnswer(request, `${request.server} did not answer in time.`);
  if (call.signal.aborted)
    throw new RekeyError("unreachable", `${request.server} was not asked: it is too late.`);
  const { signal } = within(call, request.timeoutMs);
  try {
    return await orWhenOver(send({ abortSignal: signal }), signal, late);
  } catch (error) {
    if (error instanceof RekeyError) throw error;
    return refusalOf(error, request);
  }
}

type Send<T> = (options: { abortSignal: AbortSignal }) => Promise<T>;

/** The calls of one service, with its name in every error: looks are repeated, a change is sent once. */
export class AwsCalls {
  readonly #service: string;
  readonly #server: string;
  readonly #timeoutMs: number;

  constructor(service: string, server: string, timeoutMs: number) {
    this.#service = service;
    this.#server = server;
    this.#timeoutMs = timeoutMs;
  }

  ask<T>(action: string, handled: readonly string[], call: Call, send: Send<T>): Promise<T | Refused> {
    return retryRead(call, this.#server, (frame) =>
      sendAws({ ...this.#about(action), handled, kind: "read" }, frame, send),
    );
  }

  change<T>(action: string, handled: readonly string[], call: Call, send: Send<T>): Promise<T | Refused> {
    return sendAws({ ...this.#about(action), handled, kind: "change" }, call, send);
  }

  #about(action: string) {
    return { server: this.#server, action: `${this.#service}:${action}`, timeoutMs: this.#timeoutMs };
  }
}

/** Codes with which AWS says that it did nothing, and that the same may work later. */
const later =
  /^(?:Throttl|TooManyRequests|RequestLimitExceeded|RequestTimeTooSkewed|RequestExpired|ServiceUnavailable)/;
const denied = /^(?:AccessDenied|NotAuthorized|UnauthorizedOperation)/;
const unknownKey =
  /^(?:UnrecognizedClient|InvalidClientTokenId|InvalidSignature|SignatureDoesNotMatch|IncompleteSignature|ExpiredToken|MissingAuthenticationToken|AuthFailure|CredentialsProviderError|OptInRequired)/;
const unreached = /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)$/;
const untrusted = /^(?:CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH|ERR_TLS_CERT_)/;

/** The error in our words. Nothing of what it carries is repeated but its code, where that is one of those above. */
function refusalOf(error: unknown, request: AwsRequest): Refused {
  const { server, action } = request;
  const code = codeOfError(error);
  const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
  if (request.handled?.includes(code)) return new Refused(code);
  if (untrusted.test(code)) {
    throw new RekeyError("wrong-server", `The certificate of ${server} is not one that is trusted.`);
  }
  if (unreached.test(code)) throw new RekeyError("unreachable", `${server} could not be reached.`);
  if (later.test(code)) throw new RekeyError("unreachable", `${server} asks for patience.`);
  if (denied.test(code)) {
    throw new RekeyError("not-permitted", `The engine may not do ${action} at ${server}.`);
  }
  if (unknownKey.test(code)) {
    throw new RekeyError("not-permitted", `${server} does not accept the engine's own credentials.`);
  }
  if (status === undefined || status >= 500)
    throw noAnswer(request, `${server} gave no answer that can be used.`);
  throw new RekeyError("unsupported", `${server} refused ${action} (status ${status}).`);
}

/** The code that AWS or Node gives the error; a refusal of AWS carries it as its name, a lost connection as `code`. */
function codeOfError(error: unknown): string {
  const { name, code, Code } = error as { name?: unknown; code?: unknown; Code?: unknown };
  const given = [Code, code, name].find((text) => typeof text === "string" && text !== "Error");
  return typeof given === "string" ? given : "";
}

function noAnswer(request: AwsRequest, sentence: string): RekeyError {
  return new RekeyError(request.kind === "change" ? "unknown-outcome" : "unreachable", sentence);
}

/** Throws `wrong-server` where a name of AWS belongs to another account or region. `region` is "" for what has none. */
export function refuseOtherAccount(
  arn: string | undefined,
  settings: Pick<AwsSettings, "account">,
  server: string,
): void {
  const account = arn?.split(":")[4];
  if (account === settings.account) return;
  throw new RekeyError("wrong-server", `${server} answers for another AWS account than ${settings.account}.`);
}
