/** Lines of an audit log as a device writes them, for what no server can be made to do: old, damaged, huge, from the future. */
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PartLimits } from "../../../adapters/shared/source-log-part.js";
import { VaultAuditSource } from "../../../adapters/sources/vault-audit.js";
import { vaultAuditConfig } from "../../../adapters/sources/vault-audit-schema.js";
import { depsOf } from "../stores/world.js";

/** The moment at which the tests' scans are made. */
export const nowMs = Date.parse("2026-03-01T00:00:00Z");

/** A read by the entity `e-READER` of version `version` of `path`; `more` is put over the record. */
export function auditLine(reader: string, path = "apps/db", version = 1, more: object = {}): string {
  return JSON.stringify({
    time: "2026-02-03T04:05:06.123456789Z",
    type: "response",
    auth: { client_token: "hmac-sha256:00", entity_id: `e-${reader}`, display_name: `approle-${reader}` },
    request: {
      id: "1",
      operation: "read",
      path: `secret/data/${path}`,
      remote_address: "10.0.0.1",
      mount_type: "kv",
    },
    response: {
      mount_type: "kv",
      data: { data: { password: "hmac-sha256:11" }, metadata: { created_time: "hmac-sha256:22", version } },
    },
    ...more,
  });
}

/** A folder for logs. */
export function logFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), "rekey-audit-lines-"));
}

/** A source over `paths`. */
export function auditSource(
  paths: readonly string[],
  more: object = {},
  limits?: PartLimits,
): VaultAuditSource {
  const config = vaultAuditConfig.parse({ store: "main", from: { method: "files", paths }, ...more });
  return new VaultAuditSource(config, depsOf({}, { now: () => nowMs }), limits);
}
