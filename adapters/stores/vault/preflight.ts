/** What must be true of a Vault before a rotation may rely on it, each gap a sentence with its mend (H18 to H20). */
import { count } from "../../../domain/count.js";
import type { Finding, Severity } from "../../../domain/finding.js";
import type { Call } from "../../ports.js";
import { readOwn, withEngineFields } from "../../shared/own-fields.js";
import { capabilityFindings } from "./capabilities.js";
import type { Kv, KvMetadata } from "./kv.js";
import { stagingMount } from "./places.js";
import type { VaultConfig, VaultPlace } from "./schema.js";
import type { VaultSession } from "./session.js";

/** What the checks look at. */
export interface VaultAt {
  readonly session: VaultSession;
  readonly live: Kv;
  readonly staging: Kv;
}

type Retention = Pick<KvMetadata, "maxVersions" | "deleteVersionAfter" | "casRequired">;

/** Revisions that Vault keeps when neither the document nor the mount says a number. */
const maxVersionsDefault = 10;

/** Below this an old revision is evicted within one rotation and its aftermath. */
const maxVersionsWanted = 3;

/** All findings about one place; throws `unreachable` and the like when Vault cannot be asked. */
export async function preflight(
  at: VaultAt,
  config: VaultConfig,
  place: VaultPlace,
  call: Call,
): Promise<Finding[]> {
  const mounts = await mountFindings(at, call);
  if (mounts.length > 0) return mounts;
  const rights = await capabilityFindings(at.session, config, place, call);
  const missing = rights.filter((finding) => finding.severity === "refuse");
  const rest = [
    ...addressFindings(config),
    ...pathFindings(config, place),
    ...(await tokenFindings(at, config, call)),
  ];
  // Without its rights the engine cannot read the rest, and their sentences would only repeat that.
  if (missing.length > 0) return [...rights, ...rest];
  const [metadata, document, liveSettings, stagingSettings] = await Promise.all([
    at.live.metadata(place.path, call),
    at.live.read(place.path, call),
    at.live.config(call),
    at.staging.config(call),
  ]);
  const name = `${config.mount}/${place.path}`;
  return [
    ...rights,
    ...rest,
    ...stagingFindings(config, stagingSettings),
    ...retentionFindings(name, metadata, liveSettings),
    ...documentFindings(name, place, document.data, metadata),
  ];
}

async function mountFindings({ live, staging }: VaultAt, call: Call): Promise<Finding[]> {
  const kvs = live.mount === staging.mount ? [live] : [live, staging];
  const seen = await Promise.all(kvs.map(async (kv) => ({ mount: kv.mount, is: await kv.mounted(call) })));
  return seen.flatMap(({ mount, is }) => {
    if (is === null) {
      return finding(
        "vault-mount-unseen",
        "refuse",
        `No secrets engine can be seen at "${mount}": it is not mounted, or the engine's policy allows nothing in it (\`rekey grants vault\`).`,
        mount,
      );
    }
    if (is.type === "kv" && is.version === "2") return [];
    return finding(
      "vault-not-kv2",
      "refuse",
      `What is mounted at "${mount}" is not KV version 2; \`vault kv enable-versioning ${mount}\` makes a version 1 engine one.`,
      mount,
    );
  });
}

function addressFindings(config: VaultConfig): Finding[] {
  const url = new URL(config.address);
  const local = ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
  if (url.protocol === "https:" || local) return [];
  return finding(
    "vault-no-tls",
    "warn",
    `Values travel to ${config.address} unencrypted; use https.`,
    config.address,
  );
}

function pathFindings(config: VaultConfig, place: VaultPlace): Finding[] {
  const inside =
    config.mount === stagingMount(config) && `${place.path}/`.startsWith(`${config.stagingPrefix}/`);
  if (!inside) return [];
  return finding(
    "vault-place-in-staging",
    "refuse",
    `${config.mount}/${place.path} lies below the staging prefix, which only Rekey may read; consumers cannot read it there.`,
    place.path,
  );
}

async function tokenFindings({ session }: VaultAt, config: VaultConfig, call: Call): Promise<Finding[]> {
  if (config.auth.method !== "token") return [];
  const life = await session.tokenLife(call);
  if (life.renewable || !Number.isFinite(life.endsAt)) return [];
  return finding(
    "vault-token-ends",
    "warn",
    `The engine's Vault token ends at ${new Date(life.endsAt).toISOString()} and cannot be renewed; a rotation that is open then waits for a new one.`,
    config.address,
  );
}

function stagingFindings(config: VaultConfig, settings: Retention | null): Finding[] {
  const mount = stagingMount(config);
  if (settings === null) {
    return finding(
      "vault-retention-unseen",
      "warn",
      `The settings of "${mount}" cannot be read, so it is not known whether staged values are deleted by the clock; allow read on ${mount}/config.`,
      mount,
    );
  }
  if (noTime(settings.deleteVersionAfter)) return [];
  return finding(
    "vault-staging-expires",
    "refuse",
    `The engine at "${mount}" deletes values after ${settings.deleteVersionAfter}, also the old value that going back needs; use a \`stagingMount\` without delete_version_after.`,
    mount,
  );
}

function retentionFindings(name: string, metadata: KvMetadata | null, settings: Retention | null): Finding[] {
  const found: Finding[] = [];
  const keeps = metadata?.maxVersions || settings?.maxVersions || maxVersionsDefault;
  if (keeps < maxVersionsWanted) {
    found.push(
      ...finding(
        "vault-few-revisions",
        "warn",
        `${name} keeps ${count(keeps, "revision")}, so what stands there now is evicted soon after a promote; the engine's own copy is then the only one.`,
        name,
      ),
    );
  }
  const own = metadata?.deleteVersionAfter ?? "0s";
  const expires = noTime(own) ? (settings?.deleteVersionAfter ?? "0s") : own;
  if (!noTime(expires)) {
    found.push(
      ...finding(
        "vault-live-expires",
        "warn",
        `${name} is deleted ${expires} after each write; its consumers then read nothing until the next rotation.`,
        name,
      ),
    );
  }
  if (metadata?.casRequired !== true && settings?.casRequired !== true) {
    found.push(
      ...finding(
        "vault-cas-not-required",
        "warn",
        `Others may write ${name} without check-and-set and lose each other's fields; \`vault kv metadata put -cas-required=true\` stops that.`,
        name,
      ),
    );
  }
  return found;
}

function documentFindings(
  name: string,
  place: VaultPlace,
  data: Readonly<Record<string, unknown>> | null,
  metadata: KvMetadata | null,
): Finding[] {
  if (data === null) {
    const deleted = (metadata?.current ?? 0) > 0;
    if (deleted)
      return finding(
        "vault-live-deleted",
        "warn",
        `The latest revision of ${name} is deleted; consumers read nothing there now.`,
        name,
      );
    return finding(
      "vault-place-empty",
      "info",
      `There is no document at ${name} yet; the first promote makes it.`,
      name,
    );
  }
  const values = readOwn(data, place.fields, name)?.values ?? {};
  const absent = Object.keys(place.fields).filter((field) => !values[field]);
  const stored = withEngineFields(place.fields);
  return absent.flatMap((field) =>
    finding(
      "vault-field-missing",
      "warn",
      `The document at ${name} has no field "${stored[field]}" (${field}); check the place's \`fields\`.`,
      name,
    ),
  );
}

/** Vault writes a duration in Go's way; all spellings of none have only zeros. */
function noTime(duration: string): boolean {
  return !/[1-9]/.test(duration);
}

function finding(code: string, severity: Severity, sentence: string, subject: string): [Finding] {
  return [{ code, severity, sentence, subject }];
}
