/** What must be true of an IAM user before a rotation may rely on it, each gap a sentence with its mend. */
import { RekeyError } from "../../../domain/errors.js";
import type { Finding, Severity } from "../../../domain/finding.js";
import type { Call } from "../../ports.js";
import type { IamApi, UserSeen } from "./api.js";
import type { IamAccount, IamConfig } from "./config.js";
import type { Sts } from "./proofs.js";
import { keyOf, recordsIn, strangersIn } from "./records.js";

/** All findings about one user; throws `unreachable` and the like when AWS cannot be asked. */
export async function preflight(
  api: IamApi,
  sts: Sts,
  config: IamConfig,
  account: IamAccount,
  call: Call,
): Promise<Finding[]> {
  const { user } = account;
  try {
    const [seen, engine] = await Promise.all([api.user(call), sts.engine(call)]);
    if (seen === null)
      return finding("user-missing", "refuse", `There is no IAM user ${user} in the account.`, user);
    return [
      ...settingFindings(config),
      ...ownFindings(user, seen, engine),
      ...(await keyFindings(api, account, seen, call)),
    ];
  } catch (error) {
    if (!(error instanceof RekeyError) || error.code !== "not-permitted") throw error;
    const sentence = `${error.message} \`rekey grants aws-iam\` prints the policy.`;
    return finding("right-missing", "refuse", sentence, user);
  }
}

function settingFindings(config: IamConfig): Finding[] {
  const found: Finding[] = [];
  const local = ["localhost", "127.0.0.1", "[::1]"];
  for (const address of [config.endpoint, ...(config.sts ?? []).map(({ endpoint }) => endpoint)]) {
    if (address === undefined) continue;
    const { protocol, hostname } = new URL(address);
    if (protocol === "https:" || local.includes(hostname)) continue;
    found.push(...finding("no-tls", "warn", `Keys travel to ${address} unencrypted; use https.`, address));
  }
  if (config.settle <= config.timeout) {
    const sentence =
      "`settle` is not longer than `timeout`: of two claims that come at once both may be taken for the last one.";
    found.push(...finding("settle-short", "warn", sentence, "settle"));
  }
  return found;
}

/** The engine's own key cannot be switched off by itself (H15). */
function ownFindings(user: string, seen: UserSeen, engine: readonly string[]): Finding[] {
  if (!engine.includes(seen.arn)) return [];
  const sentence = `Rekey itself is logged in as ${user}; give it a role, or a user of its own.`;
  return finding("own-user", "refuse", sentence, user);
}

async function keyFindings(api: IamApi, account: IamAccount, seen: UserSeen, call: Call): Promise<Finding[]> {
  const { user } = account;
  const listed = [...seen.keys.keys()];
  const records = recordsIn(seen.tags, listed, account);
  const strangers = strangersIn(listed, records);
  const found: Finding[] = [];
  if (strangers.length > 0) {
    const sentence = `${user} has ${strangers.length === 1 ? "an access key" : "two access keys"} that nobody accounts for; find out in CloudTrail whose it is, and delete it.`;
    found.push(...finding("unknown-key", "refuse", sentence, user));
  }
  for (const [slot, record] of records) {
    const id = keyOf(record);
    if (id === null) continue;
    if (!seen.keys.has(id)) {
      if (record.key.state === "kept")
        found.push(...finding("key-gone", "warn", `Somebody deleted the access key of slot ${slot}.`, slot));
      continue;
    }
    const use = await api.lastUse(id, call);
    const sentence =
      use === null
        ? `AWS knows of no use of the access key of slot ${slot} yet.`
        : `The access key of slot ${slot} was last used at ${new Date(use.at).toISOString()} for ${use.service}, as far as AWS knows.`;
    found.push(...finding("last-used", "info", sentence, slot));
  }
  return found;
}

function finding(code: string, severity: Severity, sentence: string, subject: string): [Finding] {
  return [{ code: `aws-iam-${code}`, severity, sentence, subject }];
}
