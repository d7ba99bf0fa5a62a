/**
 * Which certificate each endpoint really serves, and until when: what is on the disk of a server, or in a store, says nothing of
 * what it has loaded. A certificate is known by its fingerprint, so that one that is served at several places is one.
 */
import type { X509Certificate } from "node:crypto";
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { z } from "zod";
import type { Copy } from "../../domain/discovery/said.js";
import { RekeyError } from "../../domain/errors.js";
import { duration } from "../../domain/estate/duration.js";
import type { AdapterDeps, Call, Source, SourceKind } from "../ports.js";
import { orWhenOver, within } from "../shared/retry.js";
import { placeParts, type Said } from "../shared/source-part.js";
import { placeFindings } from "../shared/source-preflight.js";

interface Address {
  readonly host: string;
  readonly port: number;
  readonly serverName?: string | undefined;
}

const config = z.strictObject({
  endpoints: z
    .array(
      z.strictObject({
        host: z.string().min(1).max(253).describe("Name or address; every address of a name is looked at."),
        port: z.int().min(1).max(65_535).default(443).describe("Port that speaks TLS from the first byte."),
        serverName: z
          .string()
          .min(1)
          .max(253)
          .optional()
          .describe("The name that is asked for (SNI), where it is not the host."),
      }),
    )
    .min(1)
    .max(10_000)
    .refine((list) => new Set(list.map(nameOf)).size === list.length, {
      error: "expected different endpoints",
    })
    .describe("What serves a certificate."),
  timeout: duration({ positive: true }).prefault("5s").describe("For one handshake, such as 5s."),
});

type Config = z.output<typeof config>;
type Endpoint = Address & { readonly name: string };

/** The kind's entry in the registry. */
export const tlsEndpoints: SourceKind<typeof config> = {
  shows: "now",
  sees: "configuration",
  config,
  create: (settings, deps) => createEndpoints(settings, deps),
};

/** Addresses of one name that are looked at, and certificates of one chain. */
const addressesMax = 32;
const chainMax = 10;
const textLengthMax = 100;

/** What one address serves. `untrusted` is Node's word for why, or null where the chain and the name are in order. */
interface Served {
  readonly chain: readonly X509Certificate[];
  readonly untrusted: string | null;
}

function nameOf({ host, port, serverName }: Address): string {
  return `${host}:${port}${serverName === undefined ? "" : ` as ${serverName}`}`;
}

function createEndpoints(settings: Config, deps: AdapterDeps): Source {
  const endpoints = settings.endpoints.map((endpoint): Endpoint => ({ ...endpoint, name: nameOf(endpoint) }));
  return {
    preflight: (call) =>
      placeFindings(endpoints, async (endpoint) => {
        await look(endpoint, settings.timeout, call);
        return [];
      }),
    scan: (cursor: string | null, call: Call) =>
      placeParts(
        endpoints,
        cursor,
        async (endpoint, frame) => {
          const found = await look(endpoint, settings.timeout, frame);
          const at = deps.now();
          return { said: saidOf(endpoint, found, at, deps), at };
        },
        call,
        recordOf,
      ),
    close: async () => {},
  };
}

interface Looked {
  readonly served: readonly Served[];
  readonly gaps: readonly string[];
}

/** Looks at every address. Throws what the first answered where none has a certificate to show. */
async function look(endpoint: Endpoint, timeoutMs: number, call: Call): Promise<Looked> {
  const addresses = await addressesOf(endpoint, timeoutMs, call);
  const asked = addresses.slice(0, addressesMax);
  const answers = await Promise.allSettled(
    asked.map((address) => servedAt(address, endpoint, timeoutMs, call)),
  );
  const served = answers.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []));
  const failures = answers.flatMap((answer, index) =>
    answer.status === "rejected" ? [{ address: asked[index], error: answer.reason as unknown }] : [],
  );
  const [first] = failures;
  if (served.length === 0 && first !== undefined) throw first.error;
  const more = addresses.length - asked.length;
  return {
    served,
    gaps: [
      ...failures.map(({ address }) => `${endpoint.name} showed no certificate at its address ${address}.`),
      ...(more > 0 ? [`${endpoint.name} has ${more} more addresses at which nobody looked.`] : []),
    ],
  };
}

async function addressesOf({ host, name }: Endpoint, timeoutMs: number, call: Call): Promise<string[]> {
  if (isIP(host) !== 0) return [host];
  const unresolved = () => new RekeyError("unreachable", `The name of ${name} does not resolve.`);
  const found = await orWhenOver(
    lookup(host, { all: true }),
    within(call, timeoutMs).signal,
    unresolved,
  ).catch(() => {
    throw unresolved();
  });
  return [...new Set(found.map(({ address }) => address))].sort();
}

/** One handshake. What is served is taken whatever it is worth; nothing is sent. */
async function servedAt(
  address: string,
  { host, port, serverName, name }: Endpoint,
  timeoutMs: number,
  call: Call,
): Promise<Served> {
  const frame = within(call, timeoutMs);
  const failed = (what: string) => new RekeyError("unreachable", `${name} ${what}.`);
  const asked = serverName ?? host;
  if (frame.signal.aborted) throw failed("was not asked: it is too late");
  let socket: TLSSocket | undefined;
  const shaken = new Promise<Served>((resolve, reject) => {
    socket = connect({
      host: address,
      port,
      rejectUnauthorized: false,
      // A name in the certificate is held against what was asked for, also where that is an address.
      ...(isIP(asked) === 0 ? { servername: asked } : {}),
    });
    // It stays: an error that comes after the answer must not end the process.
    socket.on("error", () => reject(failed("does not speak TLS, or not with us")));
    socket.once("close", () => reject(failed("closed the connection")));
    socket.once("secureConnect", () => {
      const chain = socket === undefined ? [] : chainOf(socket);
      const wrong = socket?.authorizationError as unknown;
      if (chain.length === 0) reject(failed("shows no certificate"));
      else resolve({ chain, untrusted: socket?.authorized === true ? null : codeOf(wrong) });
    });
  });
  try {
    return await orWhenOver(shaken, frame.signal, () => failed("did not answer in time"));
  } finally {
    socket?.destroy();
  }
}

function chainOf(socket: TLSSocket): X509Certificate[] {
  const chain: X509Certificate[] = [];
  let next = socket.getPeerX509Certificate();
  while (next !== undefined && chain.length < chainMax) {
    chain.push(next);
    const above: X509Certificate | undefined = next.issuerCertificate;
    next = above?.fingerprint256 === next.fingerprint256 ? undefined : above;
  }
  return chain;
}

function codeOf(error: unknown): string {
  const code = typeof error === "string" ? error : (error as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : "unknown";
}

function recordOf({ name }: Endpoint): string {
  return `certificate of ${name}`;
}

function saidOf(endpoint: Endpoint, { served, gaps }: Looked, at: number, deps: AdapterDeps): Said {
  const record = recordOf(endpoint);
  const ends = served.flatMap(({ chain }) => chain.map(endOf)).filter((end) => !Number.isNaN(end));
  const expiresAt = ends.length === 0 ? {} : { expiresAt: Math.min(...ends) };
  const kept = { is: "location", scope: "tls", path: endpoint.name, class: "certificate" } as const;
  const place = { ...kept, ...expiresAt };
  const seen = { first: at, last: at, count: 1 };
  const byPrint = Map.groupBy(served, ({ chain }) => printOf(chain));
  const copies = [...byPrint].map(
    ([print, same]): Copy => ({
      record,
      at: place,
      mark: deps.mark(print),
      // Everybody may read a certificate: it is where it should be.
      literal: false,
      seen: { ...seen, count: same.length },
      sentence: sentenceOf(endpoint, same, served.length),
    }),
  );
  return { copies, listed: [{ record, thing: place, seen }], gaps, records: served.length };
}

/** SHA-256 of the certificate, in lower-case hex. */
function printOf([leaf]: readonly X509Certificate[]): string {
  return (leaf?.fingerprint256 ?? "").replaceAll(":", "").toLowerCase();
}

function endOf(certificate: X509Certificate): number {
  return Date.parse(certificate.validTo);
}

function sentenceOf({ name }: Endpoint, same: readonly Served[], addresses: number): string {
  const [{ chain, untrusted } = { chain: [], untrusted: null }] = same;
  const [leaf] = chain;
  if (leaf === undefined) return `${name} serves no certificate.`;
  const firstEnd = chain.reduce((a, b) => (endOf(b) < endOf(a) ? b : a));
  return [
    `${name} serves the certificate ${printOf(chain).slice(0, 16)} of ${subjectOf(leaf)}, issued by ${nameIn(leaf.issuer)}, until ${dayOf(leaf)}`,
    ...(addresses > 1 ? [`at ${same.length} of its ${addresses} addresses`] : []),
    ...(firstEnd === leaf
      ? []
      : [`${nameIn(firstEnd.subject)} in its chain ends before it, on ${dayOf(firstEnd)}`]),
    ...(untrusted === null ? [] : [`a client would not trust it (${untrusted})`]),
  ]
    .join("; ")
    .concat(".");
}

function dayOf(certificate: X509Certificate): string {
  const end = endOf(certificate);
  return Number.isNaN(end) ? "an unknown day" : new Date(end).toISOString().slice(0, 10);
}

function subjectOf(leaf: X509Certificate): string {
  return nameIn(leaf.subject) === "nobody" ? cut(leaf.subjectAltName ?? "nobody") : nameIn(leaf.subject);
}

/** The common name in a name of X.509, or all of it. */
function nameIn(text: string | undefined): string {
  const lines = (text ?? "").split("\n");
  const common = lines.find((line) => line.startsWith("CN="));
  return cut(common?.slice("CN=".length) ?? (lines.join(", ") || "nobody"));
}

function cut(text: string): string {
  return text.length > textLengthMax ? `${text.slice(0, textLengthMax)}...` : text;
}
