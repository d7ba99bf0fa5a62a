/**
 * Who the instances are, from the platform and never through a balancer: one name that many answer for hides
 * the one that stayed behind (H10).
 */
import { lookup } from "node:dns/promises";
import { z } from "zod";
import { RekeyError } from "../../domain/errors.js";
import { secretRef } from "../../domain/estate/secret-ref.js";
import type { AdapterDeps, Call } from "../ports.js";
import { exchange, type TlsMaterial } from "./http.js";
import { parseOutput, programFields, programName, runProgram } from "./program.js";
import { orWhenOver, retryRead } from "./retry.js";

/** One instance: the name it knows itself by, and where it alone is asked. `hostName` is what its certificate is for. */
export interface Listed {
  readonly instance: string;
  readonly url: URL;
  readonly hostName?: string;
}

const httpUrl = () =>
  z.url({ protocol: /^https?$/, error: "expected an http or https address of one instance" });

const instanceName = () =>
  z
    .string()
    .regex(/^[\x21-\x7e]{1,256}$/, { error: "expected a name without spaces, at most 256 characters" });

const entry = () =>
  z.union([
    httpUrl(),
    z.strictObject({
      instance: instanceName().describe("The name by which the instance knows itself."),
      url: httpUrl().describe("Its own address."),
    }),
  ]);

const listed = z.object({ instances: z.array(entry()).max(10_000) });

/** The `instances` of a kind's settings: written down, or asked for each time. */
export function listingSchema() {
  return z
    .union([
      z.array(entry()).min(1),
      z.strictObject({
        listUrl: httpUrl().describe("Answers GET with {instances: [...]} in JSON."),
        bearer: secretRef().optional().describe("Token for that address, as a reference."),
      }),
      z.strictObject({
        listCommand: programFields.command.describe("Program that prints {instances: [...]} in JSON."),
        environment: programFields.environment,
      }),
      z.strictObject({
        dns: z.string().min(1).max(253).describe("Name that resolves to every instance's address."),
        port: z.int().min(1).max(65_535).describe("Port that each of them listens on."),
        scheme: z.enum(["http", "https"]).prefault("https").describe("How they are asked."),
      }),
    ])
    .describe(
      "Every instance on its own, never a balancer: a list of addresses (or {instance, url}), {listUrl}, {listCommand}, or {dns, port}.",
    );
}

/** Settings of `listingSchema` as they come out of it. */
export type ListingSettings = z.output<ReturnType<typeof listingSchema>>;

/** Takes the listing now. An empty one is a result; none at all is `unreachable` or what the program's exit code says. */
export async function listInstances(
  settings: ListingSettings,
  tls: TlsMaterial,
  timeoutMs: number,
  deps: AdapterDeps,
  call: Call,
): Promise<Listed[]> {
  if (Array.isArray(settings)) return settings.map(toListed);
  if ("dns" in settings) return await fromDns(settings, timeoutMs, call);
  const what = "The listing of instances";
  if ("listCommand" in settings) {
    const program = { command: settings.listCommand, environment: settings.environment, timeoutMs };
    const output = await runProgram(program, { protocol: "rekey-list/1" }, call);
    return parseOutput(listed, output, programName(program)).instances.map(toListed);
  }
  return await retryRead(
    call,
    what,
    async (frame) => {
      const bearer = settings.bearer === undefined ? undefined : await deps.resolve(settings.bearer, frame);
      const answer = await exchange(
        {
          name: what,
          url: new URL(settings.listUrl),
          method: "GET",
          headers: {
            accept: "application/json",
            ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer.reveal()}` }),
          },
          tls,
          answerBytesMax: 4 * 1024 * 1024,
        },
        frame,
      );
      if (answer.status !== 200) {
        throw new RekeyError("unreachable", `${what} was answered with status ${answer.status}.`);
      }
      return parseOutput(listed, answer.text, what).instances.map(toListed);
    },
    { attempts: 3, attemptTimeoutMs: timeoutMs, pauseMs: 50, pauseMsMax: 500 },
  );
}

async function fromDns(
  settings: { dns: string; port: number; scheme: string },
  timeoutMs: number,
  call: Call,
): Promise<Listed[]> {
  const unresolved = () => new RekeyError("unreachable", `The name ${settings.dns} does not resolve.`);
  const signal = AbortSignal.any([call.signal, AbortSignal.timeout(timeoutMs)]);
  const addresses = await orWhenOver(lookup(settings.dns, { all: true }), signal, unresolved).catch(() => {
    throw unresolved();
  });
  return addresses.map(({ address, family }) => {
    const host = `${family === 6 ? `[${address}]` : address}:${settings.port}`;
    return { instance: host, url: new URL(`${settings.scheme}://${host}`), hostName: settings.dns };
  });
}

function toListed(listing: z.output<ReturnType<typeof entry>>): Listed {
  if (typeof listing !== "string") return { instance: listing.instance, url: new URL(listing.url) };
  const url = new URL(listing);
  return { instance: instanceOf(url), url };
}

/** `host:port`, with the port also where it is the scheme's own, so that an instance can tell its name from what it listens on. */
function instanceOf(url: URL): string {
  return `${url.hostname}:${url.port || (url.protocol === "https:" ? "443" : "80")}`;
}
