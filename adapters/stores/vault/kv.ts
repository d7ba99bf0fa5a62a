/** The KV version 2 engine as a handful of calls with typed answers, so that the protocol's part reads without HTTP. */
import { RekeyError } from "../../../domain/errors.js";
import type { Call } from "../../ports.js";
import type { VaultSession } from "./session.js";
import { type Answer, messagesOf, pathOf } from "./wire.js";

/** One revision of a document. `data` is `null` where there is none: never written, deleted or destroyed. */
export interface KvDocument {
  readonly data: Readonly<Record<string, unknown>> | null;
  /** Number of the revision, 0 when nothing was ever written: what a check-and-set must name. */
  readonly revision: number;
}

/** What the engine keeps of one revision. */
export interface KvRevision {
  readonly revision: number;
  readonly deleted: boolean;
  readonly destroyed: boolean;
}

/** What the engine keeps of a document besides its values. Zero and `"0s"` mean that the mount's setting counts. */
export interface KvMetadata {
  readonly current: number;
  /** When it was last written, in milliseconds on the server's clock. */
  readonly updatedAt: number;
  readonly revisions: readonly KvRevision[];
  readonly maxVersions: number;
  readonly deleteVersionAfter: string;
  readonly casRequired: boolean;
}

/** `stale`: the revision named was not the current one, so nothing was written. */
export type KvWritten = "written" | "stale";

type Json = Readonly<Record<string, unknown>>;

/** One mount of the KV version 2 engine. */
export class Kv {
  readonly #session: VaultSession;
  readonly mount: string;

  constructor(session: VaultSession, mount: string) {
    this.#session = session;
    this.mount = mount;
  }

  /** A document, or one of its older revisions. */
  async read(path: string, call: Call, revision?: number): Promise<KvDocument> {
    const query = revision === undefined ? "" : `?version=${revision}`;
    const what = `read ${this.mount}/data/${path}`;
    const answer = await this.#session.read(`${pathOf(this.mount, "data", path)}${query}`, what, call);
    this.#refuseNoMount(answer);
    const data = asObject(answer.body.data);
    return { data: asObject(data?.data), revision: Number(asObject(data?.metadata)?.version ?? 0) };
  }

  /** Writes the whole document if `revision` is the current one. */
  async write(path: string, data: Json, revision: number, call: Call): Promise<KvWritten> {
    const what = `create or update ${this.mount}/data/${path}`;
    const body = { options: { cas: revision }, data };
    return this.#written(
      await this.#session.change("POST", pathOf(this.mount, "data", path), body, what, call),
    );
  }

  /**
   * Writes a document where there is none. With a policy that lets the engine create and not change, Vault says of one that
   * is there already that the right is missing: that refusal is given back and not thrown, as only a look tells which it is.
   */
  async create(path: string, data: Json, revision: number, call: Call): Promise<KvWritten | RekeyError> {
    try {
      return await this.write(path, data, revision, call);
    } catch (error) {
      if (error instanceof RekeyError && error.code === "not-permitted") return error;
      throw error;
    }
  }

  /**
   * Writes only the fields of `patch` (`null` removes one) if `revision` is the current one; the rest is not
   * even sent. `refused`: the policy or an old server has no PATCH.
   */
  async patch(path: string, patch: Json, revision: number, call: Call): Promise<KvWritten | "refused"> {
    const what = `patch ${this.mount}/data/${path}`;
    const body = { options: { cas: revision }, data: patch };
    try {
      const answer = await this.#session.change("PATCH", pathOf(this.mount, "data", path), body, what, call);
      this.#refuseNoMount(answer);
      if (answer.status === 405) return "refused";
      // Deleted since it was read: there is nothing to patch, so the revision is not what it was.
      return answer.status === 404 ? "stale" : this.#written(answer);
    } catch (error) {
      if (error instanceof RekeyError && error.code === "not-permitted") return "refused";
      throw error;
    }
  }

  /** Names directly below a folder, without those of folders. */
  async list(folder: string, call: Call): Promise<string[]> {
    const what = `list ${this.mount}/metadata/${folder}/`;
    const answer = await this.#session.read(
      `${pathOf(this.mount, "metadata", folder)}/?list=true`,
      what,
      call,
    );
    this.#refuseNoMount(answer);
    const keys: unknown = asObject(answer.body.data)?.keys;
    return Array.isArray(keys)
      ? keys.filter((key): key is string => typeof key === "string" && !key.endsWith("/"))
      : [];
  }

  /** The document's metadata, or `null` when nothing was ever written. */
  async metadata(path: string, call: Call): Promise<KvMetadata | null> {
    const what = `read ${this.mount}/metadata/${path}`;
    const answer = await this.#session.read(pathOf(this.mount, "metadata", path), what, call);
    this.#refuseNoMount(answer);
    const data = asObject(answer.body.data);
    if (data === null) return null;
    const revisions = Object.entries(asObject(data.versions) ?? {}).map(([number, entry]) => ({
      revision: Number(number),
      deleted: (asObject(entry)?.deletion_time ?? "") !== "",
      destroyed: asObject(entry)?.destroyed === true,
    }));
    const updatedAt = Date.parse(String(data.updated_time)) || 0;
    return { current: Number(data.current_version ?? 0), updatedAt, revisions, ...retentionOf(data) };
  }

  /** Destroys revisions for good: their values cannot be brought back. */
  async destroy(path: string, revisions: readonly number[], call: Call): Promise<void> {
    const what = `update ${this.mount}/destroy/${path}`;
    const body = { versions: revisions };
    this.#accepted(
      await this.#session.change("POST", pathOf(this.mount, "destroy", path), body, what, call),
      what,
    );
  }

  /** Removes a document with every revision and all that is known of it. Removing what is not there is no error. */
  async remove(path: string, call: Call): Promise<void> {
    const what = `delete ${this.mount}/metadata/${path}`;
    this.#accepted(
      await this.#session.change("DELETE", pathOf(this.mount, "metadata", path), undefined, what, call),
      what,
    );
  }

  /** The mount's own settings for retention, or `null` without the right to read them. */
  async config(
    call: Call,
  ): Promise<Pick<KvMetadata, "maxVersions" | "deleteVersionAfter" | "casRequired"> | null> {
    const answer = await this.#optional(pathOf(this.mount, "config"), call);
    return answer === null ? null : retentionOf(asObject(answer.body.data) ?? {});
  }

  /** Type and version of what is mounted there, or `null` when there is nothing or no right to see it. */
  async mounted(call: Call): Promise<{ type: string; version: string } | null> {
    const answer = await this.#optional(`/sys/internal/ui/mounts${pathOf(this.mount)}`, call);
    const data = asObject(answer?.body.data);
    if (data === null) return null;
    return { type: String(data.type ?? ""), version: String(asObject(data.options)?.version ?? "1") };
  }

  async #optional(path: string, call: Call): Promise<Answer | null> {
    try {
      const answer = await this.#session.read(path, `read ${path}`, call);
      return answer.status === 200 ? answer : null;
    } catch (error) {
      if (error instanceof RekeyError && error.code === "not-permitted") return null;
      throw error;
    }
  }

  #written(answer: Answer): KvWritten {
    this.#refuseNoMount(answer);
    if (answer.status === 400 && messagesOf(answer).includes("check-and-set")) return "stale";
    this.#accepted(answer, `a write below ${this.mount}/data`);
    return "written";
  }

  #accepted(answer: Answer, what: string): void {
    if (answer.status === 200 || answer.status === 204) return;
    throw new RekeyError("unsupported", `Vault refused the request (status ${answer.status}): ${what}.`);
  }

  /** Vault answers 404 both for "nothing there" and for "nothing mounted there"; the second is no absence. */
  #refuseNoMount(answer: Answer): void {
    if (answer.status !== 404) return;
    const { errors, data } = answer.body;
    if (data !== undefined || (Array.isArray(errors) && errors.length === 0)) return;
    throw new RekeyError(
      "unsupported",
      `There is no KV version 2 engine at "${this.mount}" of ${this.#session.server}.`,
    );
  }
}

function retentionOf(data: Json): Pick<KvMetadata, "maxVersions" | "deleteVersionAfter" | "casRequired"> {
  return {
    maxVersions: Number(data.max_versions ?? 0),
    deleteVersionAfter: String(data.delete_version_after ?? "0s"),
    casRequired: data.cas_required === true,
  };
}

function asObject(value: unknown): Record<string, unknown> | null {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : null;
}
