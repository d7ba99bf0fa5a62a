/** Tells people by way of any system that takes a signed HTTP POST: a chat's bridge, an on-call service, a mailer. */
import { createHmac } from "node:crypto";
import { z } from "zod";
import { RekeyError } from "../../domain/errors.js";
import { duration } from "../../domain/estate/duration.js";
import { secretRef } from "../../domain/estate/secret-ref.js";
import type { Finding } from "../../domain/finding.js";
import type { AdapterDeps, Call, Notice, Notifier, NotifierKind } from "../ports.js";
import { exchange, tlsMaterial, tlsSchema } from "../shared/http.js";
import { retryRead } from "../shared/retry.js";

const expectation =
  "expected an http or https address, or a reference to one: env:NAME, file:/path, vault:path#key";

const config = z.strictObject({
  url: z
    .union([z.url({ protocol: /^https?$/ }), secretRef()], { error: expectation })
    .describe("Where notices are posted. Where the address itself opens the door, write a reference to it."),
  secret: secretRef().describe("Key of the signature that the receiver checks, as a reference."),
  timeout: duration({ positive: true }).prefault("5s").describe("For one try."),
  attempts: z.int().min(1).max(10).prefault(3).describe("How often a notice is tried before it is an error."),
  tls: tlsSchema().optional().describe("How the receiver is recognised, and how it recognises us."),
});

type Config = z.output<typeof config>;

/** Names the receiver in sentences: its address may be a secret. */
const name = "The webhook";

const answerBytesMax = 64 * 1024;

/** Signed notices over HTTP; docs/kinds/webhook.md says how the receiver checks them. */
export const webhook: NotifierKind<typeof config> = {
  config,
  create: (settings, deps) => createWebhook(settings, deps),
};

function createWebhook(settings: Config, deps: AdapterDeps): Notifier {
  const address = async (call: Call): Promise<URL> => {
    if (/^https?:/.test(settings.url)) return new URL(settings.url);
    const url = (await deps.resolve(settings.url, call)).reveal().trim();
    if (/^https?:\/\//.test(url) && URL.canParse(url)) return new URL(url);
    throw new RekeyError("missing-setup", `${name}'s address is not an http or https address.`);
  };

  const send = async (notice: Notice, frame: Call): Promise<void> => {
    const body = JSON.stringify(bodyOf(notice));
    const secret = (await deps.resolve(settings.secret, frame)).reveal();
    const at = Math.floor(deps.now() / 1000);
    const mac = createHmac("sha256", secret).update(`${at}.${body}`).digest("hex");
    const { status } = await exchange(
      {
        name,
        url: await address(frame),
        method: "POST",
        headers: {
          "content-type": "application/json",
          "idempotency-key": notice.id,
          "rekey-signature": `t=${at},v1=${mac}`,
        },
        body,
        tls: await tlsMaterial(settings.tls, deps, frame),
        answerBytesMax,
      },
      frame,
    );
    refuseStatus(status);
  };

  return {
    async preflight(call): Promise<Finding[]> {
      const url = await address(call);
      await deps.resolve(settings.secret, call);
      const local = ["127.0.0.1", "[::1]", "localhost"].includes(url.hostname);
      if (url.protocol === "https:" || local) return [];
      const sentence = "Notices are posted without TLS, so others can read who rotates what.";
      return [{ code: "plain-http", severity: "warn", sentence }];
    },
    async notify(notice, call) {
      await retryRead(call, name, (frame) => send(notice, frame), {
        attempts: settings.attempts,
        attemptTimeoutMs: settings.timeout,
        pauseMs: 200,
        pauseMsMax: 2_000,
      });
    },
  };
}

/** Only what a notice has today: a field that is added to it later does not leave by itself. */
function bodyOf({ id, kind, recipients, subject, text, rotation }: Notice): Notice {
  return { id, kind, recipients, subject, text, rotation };
}

function refuseStatus(status: number): void {
  if (status >= 200 && status < 300) return;
  const detail = `${name} answered with status ${status}.`;
  if (status >= 500 || status === 408 || status === 425 || status === 429) {
    throw new RekeyError("unreachable", detail);
  }
  throw new RekeyError(status === 401 || status === 403 ? "not-permitted" : "unsupported", detail);
}
