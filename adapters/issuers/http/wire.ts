/**
 * Requests to the provider: one operation's worth of them, to one address that was looked at, with the engine's
 * credential read anew. What comes back is a status and a document; the provider's words never get any further.
 */
import { RekeyError } from "../../../domain/errors.js";
import type { AdapterDeps, Call } from "../../ports.js";
import { exchange, type Incoming, type Outgoing, tlsMaterial } from "../../shared/http.js";
import { pause, retryRead, within } from "../../shared/retry.js";
import { pinned, type Resolver } from "./address.js";
import type { HttpConfig } from "./config.js";
import { type Filling, filled, filledBody, filledPath } from "./template.js";

const answerBytesMax = 1024 * 1024;

/** How often a provider that asks us to wait is asked again, and for how long at most it is waited for. */
const waitsMax = 4;
const waitMsMax = 20_000;
/** Where it does not say how long. */
const waitMsUsual = 1_000;

/** A request of the description. */
export interface Described {
  readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: unknown;
  readonly form?: Readonly<Record<string, string>> | undefined;
  /** 200 where nothing is said. */
  readonly success?: readonly number[];
}

/** An answer; `document` is `undefined` where it holds none. */
export interface Answer {
  readonly status: number;
  readonly document: unknown;
  /** The `Link` header. */
  readonly link: string;
}

/** One operation's way to one address. */
export interface Line {
  /** Host and port, for sentences and as the node's name. */
  readonly host: string;
  readonly base: URL;
  readonly timeoutMs: number;
  readonly way: Pick<Outgoing, "tls" | "lookup">;
  readonly now: () => number;
}

/** Looks where the address leads, for this operation (H9). Throws before anything is sent where that is no place to go. */
export async function openLine(
  config: HttpConfig,
  address: string,
  deps: AdapterDeps,
  call: Call,
  resolve?: Resolver,
): Promise<Line> {
  const base = new URL(address);
  const lookup = await pinned(base.hostname, config.network, call, resolve);
  const tls = await tlsMaterial(config.tls, deps, call);
  return { host: base.host, base, timeoutMs: config.timeout, way: { tls, lookup }, now: deps.now };
}

/** The header that the engine logs in with, read anew because it is rotated too. */
export async function ownHeader(
  { auth }: HttpConfig,
  deps: AdapterDeps,
  call: Call,
): Promise<Record<string, string>> {
  switch (auth.type) {
    case "bearer":
      return { authorization: `Bearer ${(await deps.resolve(auth.token, call)).reveal()}` };
    case "basic":
      return { authorization: basic(auth.user, (await deps.resolve(auth.password, call)).reveal()) };
    case "header":
      return { [auth.name.toLowerCase()]: (await deps.resolve(auth.value, call)).reveal() };
  }
}

/** The header of RFC 7617. */
export function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`, "utf8").toString("base64")}`;
}

/** The address of a described path, filled in, below the address of the estate. */
export function urlOf({ base }: Line, path: string, filling: Filling = {}): URL {
  return new URL(`${base.href.replace(/\/$/, "")}${filledPath(path, filling)}`);
}

/** Asks without changing anything; silence and failures of the provider's own are tried again. Answers with any status. */
export function ask(
  line: Line,
  described: Described,
  login: Readonly<Record<string, string>>,
  filling: Filling,
  call: Call,
  url = urlOf(line, described.path, filling),
): Promise<Answer> {
  const policy = { attempts: 3, attemptTimeoutMs: line.timeoutMs, pauseMs: 100, pauseMsMax: 1_000 };
  return patiently(line, call, async () =>
    retryRead(
      call,
      line.host,
      async (frame) => {
        const answer = await sent(line, described, login, filling, url, frame);
        if (answer.status < 500) return answer;
        throw new RekeyError("unreachable", `${line.host} answered with status ${answer.status}.`);
      },
      policy,
    ),
  );
}

/** `ask`, for what has to be answered: throws what a status other than success means. */
export async function read(
  line: Line,
  described: Described,
  login: Readonly<Record<string, string>>,
  call: Call,
  url?: URL,
): Promise<Answer> {
  return expected(line, described, await ask(line, described, login, {}, call, url));
}

/**
 * Has something changed, once. `mayStill` is asked right before each sending, and throws where the change is not ours
 * to make any more. An answer that is lost, or a failure of the provider's own, is `unknown-outcome`; any other status
 * that is no success means that nothing was done.
 */
export async function change(
  line: Line,
  described: Described,
  login: Readonly<Record<string, string>>,
  filling: Filling,
  mayStill: () => Promise<void>,
  call: Call,
): Promise<Answer> {
  const url = urlOf(line, described.path, filling);
  const answer = await patiently(line, call, async () => {
    await mayStill();
    if (call.signal.aborted)
      throw new RekeyError("unreachable", `There was no time left to ask ${line.host}.`);
    try {
      return await sent(line, described, login, filling, url, within(call, line.timeoutMs));
    } catch (error) {
      if (!(error instanceof RekeyError) || error.code !== "unreachable") throw error;
      throw new RekeyError("unknown-outcome", `A change was sent to ${line.host} and its answer was lost.`);
    }
  });
  if (answer.status >= 500 || answer.status === 408)
    throw new RekeyError(
      "unknown-outcome",
      `${line.host} answered a change with status ${answer.status}, which says nothing of it.`,
    );
  return expected(line, described, answer);
}

async function sent(
  line: Line,
  { method = "GET", headers = {}, body, form }: Described,
  login: Readonly<Record<string, string>>,
  filling: Filling,
  url: URL,
  frame: Call,
): Promise<Answer & { readonly incoming: Incoming }> {
  const text =
    body !== undefined
      ? JSON.stringify(filledBody(body, filling))
      : form && new URLSearchParams(filledBody(form, filling) as Record<string, string>).toString();
  const type = body === undefined ? "application/x-www-form-urlencoded" : "application/json";
  const own = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), filled(value, filling)]);
  try {
    const incoming = await exchange(
      {
        name: line.host,
        url,
        method,
        headers: {
          accept: "application/json",
          ...(text === undefined ? {} : { "content-type": type }),
          ...Object.fromEntries(own),
          ...login,
        },
        ...(text === undefined ? {} : { body: text }),
        ...line.way,
        answerBytesMax,
      },
      frame,
    );
    const link = [incoming.headers.link ?? ""].flat().join(", ");
    return { status: incoming.status, document: parsed(incoming.text), link, incoming };
  } catch (error) {
    if (error instanceof RekeyError) throw error;
    // Node's own refusal of a header quotes nothing, but its object may hold the request.
    throw new RekeyError("unsupported", `What was to be shown to ${line.host} cannot stand in a header.`);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Repeats what was answered with "too many", after the time that was asked for: nothing was done then. */
async function patiently<T extends Answer & { readonly incoming: Incoming }>(
  line: Line,
  call: Call,
  once: () => Promise<T>,
): Promise<T> {
  for (let waits = 0; ; waits++) {
    const answer = await once();
    if (answer.status !== 429) return answer;
    const ms = waitMs(answer.incoming.headers["retry-after"], line.now());
    if (waits >= waitsMax || ms > waitMsMax)
      throw new RekeyError(
        "unreachable",
        `${line.host} has had too many requests, and asks to be left alone for longer than a step lasts.`,
      );
    await pause(ms, call, line.host);
  }
}

/** Seconds or a date (RFC 9110), in milliseconds from now. */
function waitMs(header: string | undefined, now: number): number {
  if (header === undefined) return waitMsUsual;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1_000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? waitMsUsual : Math.max(0, at - now);
}

/** The answer where its status is a success. */
function expected(line: Line, { success = [200] }: Described, answer: Answer): Answer {
  const { status, document, link } = answer;
  if (success.includes(status)) return { status, document, link };
  const { host } = line;
  if (status === 401 || status === 403)
    throw new RekeyError(
      "not-permitted",
      `${host} refuses the engine, with status ${status}.`,
      "Check `auth`, and that it has the rights that the description's requests need.",
    );
  if (status >= 300 && status < 400)
    throw new RekeyError(
      "unsupported",
      `${host} answered with a redirect, which is not followed.`,
      "Write the address that it leads to, if it is the provider's.",
    );
  if (status === 409 || status === 412 || status === 423)
    throw new RekeyError("conflict", `${host} says that the key is being changed, or is not as it was.`);
  throw new RekeyError("unsupported", `${host} answered with status ${status}.`, "Correct the description.");
}
