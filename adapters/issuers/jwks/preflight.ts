/** What has to be true of the file, its folder and its addresses before keys are rotated, and the document to begin with. */
import { RekeyError } from "../../../domain/errors.js";
import type { Finding } from "../../../domain/finding.js";
import type { AdapterDeps, Call, Slot } from "../../ports.js";
import type { JwksConfig } from "./config.js";
import { fetchServed } from "./served.js";

/** Everything that stands in the way, each with its mend. */
export async function checkPublished(
  config: JwksConfig,
  slots: readonly Slot[],
  hasLockFolder: boolean,
  deps: AdapterDeps,
  call: Call,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const add = (code: string, severity: Finding["severity"], sentence: string, subject?: string) =>
    findings.push({ code, severity, sentence, ...(subject === undefined ? {} : { subject }) });
  if (!hasLockFolder)
    add("no-lock-folder", "refuse", `The folder ${config.lockFolder} is not there; make it with mode 0700.`);
  if (config.urls.length === 0)
    add("not-seen-served", "warn", "No address is listed, so nobody sees what verifiers really get.");
  for (const address of config.urls.filter(isOpen))
    add("plain-http", "refuse", `${address} is fetched without TLS, so anybody on the way can put keys in.`);
  try {
    for (const { node, keys } of await fetchServed(config, deps, call)) {
      const missing = slots.filter(
        ({ enabled, publicName }) => enabled && !keys.some(({ kid }) => kid === publicName),
      );
      for (const { slot } of missing)
        add(
          "not-served",
          "refuse",
          `${node} does not give out the key of ${slot} that is in the file.`,
          node,
        );
    }
  } catch (error) {
    if (!(error instanceof RekeyError) || error.code !== "unreachable" || call.signal.aborted) throw error;
    add("not-served", "refuse", error.message);
  }
  return findings;
}

function isOpen(address: string): boolean {
  const { protocol, hostname } = new URL(address);
  return protocol === "http:" && !["127.0.0.1", "[::1]", "localhost"].includes(hostname);
}

/** The document to begin with, for `rekey grants jwks --set issuer=NAME`. */
export function jwksGrants(options: Readonly<Record<string, string>>): string {
  const { issuer } = options;
  if (issuer === undefined || issuer === "")
    throw new RekeyError("bad-input", "The option `issuer` is missing: a name that no other key set has.");
  return `${JSON.stringify({ keys: [], rekey: { issuer, slots: {} } }, null, 2)}\n`;
}
