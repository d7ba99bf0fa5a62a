/** What must be true of a secret before a rotation may rely on it, each gap a sentence with its mend (H16, H18 to H20). */
import { RekeyError } from "../../../domain/errors.js";
import type { Finding, Severity } from "../../../domain/finding.js";
import type { Call } from "../../ports.js";
import { readOwn, withEngineFields } from "../../shared/own-fields.js";
import type { SecretInfo, SecretsManagerApi } from "./api.js";
import { objectIn } from "./document.js";
import type { SecretsManagerConfig, SecretsManagerPlace } from "./schema.js";

/** AWS allows this many labels on all versions of a secret together. */
const labelsMax = 20;

/** A rotation needs a few: the new version's copy and, in an emergency, a third one's. */
const labelsWanted = 4;

/** All findings about one place; throws `unreachable` and the like when AWS cannot be asked. */
export async function preflight(
  api: SecretsManagerApi,
  config: SecretsManagerConfig,
  place: SecretsManagerPlace,
  copies: string,
  call: Call,
): Promise<Finding[]> {
  const around = [...addressFindings(config), ...nameFindings(config, place)];
  const [live, staging] = await Promise.all([
    allowed(() => api.describe(place.name, call)),
    allowed(() => api.describe(copies, call)),
  ]);
  const unseen = [live, staging].flatMap((one) => (one instanceof RekeyError ? rightMissing(one) : []));
  if (live instanceof RekeyError || staging instanceof RekeyError) return [...around, ...unseen];
  const found = [...around, ...secretFindings(place.name, live, config), ...copiesFindings(copies, staging)];
  // What is deleted cannot be read, and the sentence would only repeat that.
  if (found.some(({ severity }) => severity === "refuse")) return found;
  return [...found, ...(await documentFindings(api, place, call))];
}

/** The answer, or the refusal of a right, which is a finding and no error. */
async function allowed<T>(read: () => Promise<T>): Promise<T | RekeyError> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof RekeyError && error.code === "not-permitted") return error;
    throw error;
  }
}

function rightMissing(error: RekeyError): [Finding] {
  const sentence = `${error.message} \`rekey grants aws-secrets-manager\` prints the policy.`;
  return finding("secrets-manager-right-missing", "refuse", sentence, "aws-secrets-manager");
}

function addressFindings({ endpoint }: SecretsManagerConfig): Finding[] {
  if (endpoint === undefined) return [];
  const { protocol, hostname } = new URL(endpoint);
  if (protocol === "https:" || ["localhost", "127.0.0.1", "[::1]"].includes(hostname)) return [];
  return finding(
    "secrets-manager-no-tls",
    "warn",
    `Values travel to ${endpoint} unencrypted; use https.`,
    endpoint,
  );
}

function nameFindings(config: SecretsManagerConfig, { name }: SecretsManagerPlace): Finding[] {
  if (!name.startsWith(`${config.stagingPrefix}/`)) return [];
  const sentence = `${name} begins as the secrets do that only Rekey may read; consumers cannot read it there.`;
  return finding("secrets-manager-place-in-staging", "refuse", sentence, name);
}

function secretFindings(name: string, info: SecretInfo | null, config: SecretsManagerConfig): Finding[] {
  if (info === null) {
    const sentence = `There is no secret ${name} yet; the first promote makes it, without replicas.`;
    return finding("secrets-manager-place-empty", "info", sentence, name);
  }
  const refuse = (code: string, sentence: string) =>
    finding(`secrets-manager-${code}`, "refuse", sentence, name);
  const found: Finding[] = [];
  if (info.deleted)
    found.push(...refuse("deleted", `${name} is marked as deleted: \`aws secretsmanager restore-secret\`.`));
  if (info.rotates) {
    found.push(
      ...refuse(
        "native-rotation",
        `AWS rotates ${name} by itself, and two who rotate lock each other out: \`aws secretsmanager cancel-rotate-secret\`.`,
      ),
    );
  }
  if (info.owner !== undefined) {
    found.push(
      ...refuse("managed", `${name} belongs to a service of AWS, which writes it; choose another secret.`),
    );
  }
  if (info.primaryRegion !== undefined && info.primaryRegion !== config.region) {
    found.push(
      ...refuse("is-replica", `${name} is a replica here; set \`region\` to ${info.primaryRegion}.`),
    );
  }
  return [...found, ...replicaFindings(name, info), ...pendingFindings(name, info)];
}

function replicaFindings(name: string, info: SecretInfo): Finding[] {
  return info.replicas.flatMap(({ region, status }) => {
    if (status === "InSync") return [];
    if (status === "Failed") {
      const sentence = `The replica of ${name} in ${region} has failed, and keeps what it had: \`aws secretsmanager replicate-secret-to-regions --force-overwrite-replica-secret\`.`;
      return finding("secrets-manager-replica-failed", "refuse", sentence, region);
    }
    const sentence = `The replica of ${name} in ${region} is behind; a promote waits for it.`;
    return finding("secrets-manager-replica-behind", "warn", sentence, region);
  });
}

/** A version that somebody has begun and not made current; where it is ours, the next promote takes its label over. */
function pendingFindings(name: string, info: SecretInfo): Finding[] {
  const begun = [...info.labels.values()].some(
    (labels) => labels.includes("AWSPENDING") && !labels.includes("AWSCURRENT"),
  );
  if (!begun) return [];
  const sentence = `A version of ${name} is labelled AWSPENDING and is not the current one: a rotation that ended half way, or another writer.`;
  return finding("secrets-manager-pending", "warn", sentence, name);
}

function copiesFindings(copies: string, info: SecretInfo | null): Finding[] {
  if (info === null) return [];
  const found: Finding[] = [];
  if (info.deleted) {
    const sentence = `${copies}, where going back finds the old value, is marked as deleted: \`aws secretsmanager restore-secret\`.`;
    found.push(...finding("secrets-manager-copies-deleted", "refuse", sentence, copies));
  }
  const labels = [...info.labels.values()].flat().length;
  if (labels > labelsMax - labelsWanted) {
    const sentence = `${copies} has ${labels} of ${labelsMax} labels that AWS allows, so there may be no room for a copy; \`rekey status\` shows which versions are over.`;
    found.push(...finding("secrets-manager-labels", "refuse", sentence, copies));
  }
  return found;
}

async function documentFindings(
  api: SecretsManagerApi,
  place: SecretsManagerPlace,
  call: Call,
): Promise<Finding[]> {
  const { name, fields } = place;
  const version = await allowed(() => api.read(name, { label: "AWSCURRENT" }, call));
  if (version instanceof RekeyError) return rightMissing(version);
  if (version === null) return [];
  const document = objectIn(version.text);
  if (document === null) {
    const sentence = `${name} is not a JSON object; keep user name and password as two fields of one.`;
    return finding("secrets-manager-not-json", "refuse", sentence, name);
  }
  const values = readOwn(document, fields, name)?.values ?? {};
  const stored = withEngineFields(fields);
  return Object.keys(fields)
    .filter((field) => !values[field])
    .flatMap((field) => {
      const sentence = `${name} has no field "${stored[field]}" (${field}); check the place's \`fields\`.`;
      return finding("secrets-manager-field-missing", "warn", sentence, name);
    });
}

function finding(code: string, severity: Severity, sentence: string, subject: string): [Finding] {
  return [{ code, severity, sentence, subject }];
}
