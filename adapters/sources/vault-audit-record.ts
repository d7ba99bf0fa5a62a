/**
 * What one line of an audit log of Vault or OpenBao says about the places of a store. Pure: everything that the audit device
 * replaced by an HMAC stays what it is, a text that is no value.
 */
import { isIP } from "node:net";
import { olderVersion, type ReaderThing, type ReaderTraits } from "../../domain/discovery/said.js";
import { inside, shown, textIn } from "../shared/source-log-part.js";

/** The KV version 2 engine whose reads count, and who reads for Rekey itself. */
export interface Watched {
  /** `secret/data/`. */
  readonly dataPath: string;
  /** The namespace with its slash, `""` for the root. */
  readonly namespace: string;
  /** Who the engine itself is: a reader that shows all of one of these. */
  readonly engine: readonly Engine[];
  /** Addresses are traits of readers that have an entity too. */
  readonly addresses: boolean;
}

/** The engine in the log: by its entity, or by the name of a token without one and the address it comes from. */
export interface Engine {
  readonly entity?: string | undefined;
  readonly displayName?: string | undefined;
  readonly address?: string | undefined;
}

/** A document was given out. */
export interface Read {
  readonly path: string;
  /** Of the KV engine; null where the answer was wrapped, so that the log does not show it. */
  readonly version: number | null;
  /**
   * What the request asked for, where the answer does not show what was given out: the version's number, or `olderVersion` where it is
   * one that the log does not tell. Absent where it asked for whatever is live.
   */
  readonly asked?: string;
  readonly wrapped: boolean;
  readonly name: string;
  readonly traits: ReaderTraits;
  /** By how it has logged in; undefined for a person, and where that does not tell. */
  readonly class: ReaderThing["class"];
  /** Fields of the answer, as the log has them: HMACs, unless the device writes values in clear. */
  readonly fields: unknown;
}

/** The engine itself read something; `own`: the reader that it would be, where its traits alone tell that it is. */
export interface OwnRead {
  readonly own: ReaderThing | null;
}

/** What was read by whom, null for every other record. Every record that is no object is refused by the caller. */
export function readIn(record: unknown, watched: Watched): Read | OwnRead | null {
  if (inside(record, "type") !== "response" || textIn(record, "error") !== undefined) return null;
  const request = inside(record, "request");
  if (inside(request, "operation") !== "read") return null;
  const path = textIn(request, "path");
  if (path === undefined || !path.startsWith(watched.dataPath)) return null;
  if ((textIn(inside(request, "namespace"), "path") ?? "") !== watched.namespace) return null;
  const response = inside(record, "response");
  const wrapped = textIn(inside(response, "wrap_info"), "token") !== undefined;
  const data = inside(response, "data");
  const fields = inside(data, "data");
  // A deleted version answers with its metadata and no data: nothing was given out.
  if (!wrapped && (typeof fields !== "object" || fields === null)) return null;
  const told = inside(inside(data, "metadata"), "version");
  const version = typeof told === "number" && Number.isSafeInteger(told) ? told : null;
  const asked = version === null ? askedIn(request) : undefined;
  const auth = inside(record, "auth");
  const who = readerOf(auth, request, watched);
  if ("own" in who) return who;
  return {
    path: path.slice(watched.dataPath.length),
    version,
    ...(asked === undefined ? {} : { asked }),
    wrapped,
    ...who,
    fields,
  };
}

/**
 * The version that a request pins. Its parameter is an HMAC unless the device or the mount writes it in clear; Vault has the address
 * of the request beside it, which OpenBao has not. Zero is how to ask for what is live.
 */
function askedIn(request: unknown): string | undefined {
  const parameter = inside(inside(request, "data"), "version");
  if (parameter === undefined) return undefined;
  const query = textIn(request, "request_uri")?.split("?")[1];
  const written = [String(parameter), new URLSearchParams(query).get("version")];
  const number = written.find((text) => text !== null && /^[0-9]{1,15}$/.test(text));
  if (number === undefined) return olderVersion;
  return Number(number) === 0 ? undefined : String(Number(number));
}

/** Who it was. */
function readerOf(
  auth: unknown,
  request: unknown,
  watched: Watched,
): Pick<Read, "name" | "traits" | "class"> | OwnRead {
  const entity = textIn(auth, "entity_id");
  const displayName = textIn(auth, "display_name");
  const metadata = inside(auth, "metadata");
  const account = textIn(metadata, "service_account_name");
  const namespace = textIn(metadata, "service_account_namespace");
  const role = textIn(metadata, "canonical_arn");
  const remote = textIn(request, "remote_address");
  const address = remote !== undefined && isIP(remote) !== 0 ? remote : undefined;
  const known = entity !== undefined;
  const engine = watched.engine.find(
    (own) =>
      own.entity === entity &&
      (known || own.displayName === displayName) &&
      (own.address === undefined || own.address === address),
  );
  const who = {
    name: shown(displayName ?? entity ?? address ?? "somebody without a name"),
    traits: {
      ...(known ? { entity } : {}),
      ...(role === undefined ? {} : { role }),
      ...(account === undefined || namespace === undefined
        ? {}
        : { serviceAccount: `${namespace}/${account}` }),
      ...(known || displayName === undefined ? {} : { applicationName: displayName }),
      ...(address === undefined || (known && !watched.addresses) ? {} : { address }),
    },
    class: classOf(metadata, entity, displayName),
  };
  if (engine === undefined) return who;
  // Somebody else may come with the same entity from another address.
  const isTold = engine.address === undefined || who.traits.address !== undefined;
  return { own: isTold ? { is: "reader", name: who.name, traits: who.traits } : null };
}

/**
 * What each method of logging in writes beside a token: Kubernetes and the clouds name what runs, TLS names a certificate, AppRole
 * names its role. A token without an entity was made by hand, and is called by that. Other methods are how persons log in.
 */
function classOf(
  metadata: unknown,
  entity: string | undefined,
  displayName: string | undefined,
): ReaderThing["class"] {
  const has = (field: string) => textIn(metadata, field) !== undefined;
  if (has("service_account_name")) return "workload-identity";
  const arn = textIn(metadata, "canonical_arn");
  if (arn !== undefined)
    return /^arn:[^:]+:iam::\d+:user\//.test(arn) ? "service-account" : "workload-identity";
  if (has("cert_name")) return "certificate";
  if (has("role_name")) return "service-account";
  const byHand = entity === undefined && /^(?:root|token)(?:-|$)/.test(displayName ?? "");
  return byHand ? "token" : undefined;
}

const hmac = "hmac-sha256:";

/** Fields of a read document whose values stand in the log in clear, as text: the device was told to (`log_raw`). */
export function clearFields(fields: unknown): (readonly [field: string, value: string])[] {
  if (typeof fields !== "object" || fields === null) return [];
  return Object.entries(fields).flatMap(([field, value]) =>
    typeof value === "string" && value.length >= clearCharsMin && !value.startsWith(hmac)
      ? [[field, value] as const]
      : [],
  );
}

/** What is shorter is no secret that anybody should have. */
const clearCharsMin = 8;
