/** An audit log for somebody who may read it and has nothing else of the installation: no settings, and no key that signs. */
import { secretResolver } from "../adapters/shared/secret-resolver.js";
import { type Database, openDatabase } from "../inventory/database.js";

const resolveMsMax = 10_000;

/**
 * The database that the reference (`env:NAME` or `file:/path`) names by its URL; nothing is connected before it is
 * used. Its login needs to select in the schema `rekey_audit`, and nothing more. Throws what resolving throws.
 */
export async function openAuditorsLog(env: NodeJS.ProcessEnv, reference: string): Promise<Database> {
  const resolve = secretResolver({ env, now: Date.now });
  const url = await resolve(reference, { signal: AbortSignal.timeout(resolveMsMax) });
  return openDatabase({ url, applicationName: "rekey-auditor", what: "The audit store", connectionsMax: 1 });
}
