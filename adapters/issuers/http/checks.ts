/** What has to be true at the provider, and of the description, before a key is rotated; each with its mend. */
import { RekeyError } from "../../../domain/errors.js";
import { parseTag } from "../../../domain/fence.js";
import type { Finding, Severity } from "../../../domain/finding.js";
import type { AdapterDeps, Call } from "../../ports.js";
import { isFolder } from "../../shared/disk.js";
import type { HttpAccount, HttpConfig } from "./config.js";
import { readLabel } from "./fence.js";
import { strayHint, strayText } from "./mint.js";
import { openSession, type SlotLook, shownSlot } from "./session.js";

/** Everything that stands in the way. Throws `unreachable` where the provider does not answer. */
export async function preflight(
  config: HttpConfig,
  account: HttpAccount,
  deps: AdapterDeps,
  call: Call,
): Promise<Finding[]> {
  const { fence } = config;
  if (fence.in === "register" && !(await isFolder(fence.folder)))
    return [refusal("no-register", `The folder ${fence.folder} is not there; make it with mode 0700.`)];
  const findings = ofTheDescription(config, account);
  try {
    const session = await openSession(config, account, deps, call);
    for (const slot of account.keys) {
      const look = await session.slot(slot);
      findings.push(...ofTheSlot(config, account, session.host, slot, look));
    }
  } catch (error) {
    if (!(error instanceof RekeyError) || (error.code !== "not-permitted" && error.code !== "unsupported"))
      throw error;
    findings.push(refusal(error.code, `${error.message} ${error.hint}`));
  }
  return findings;
}

function ofTheDescription(config: HttpConfig, { keys, existing }: HttpAccount): Finding[] {
  const makesKeys = config.mint.replaces === "key";
  const found: Finding[] = [];
  if (makesKeys && keys.length > 1)
    found.push(
      refusal(
        "too-many-keys",
        "Where minting makes another key, an account has one; write one under `keys`.",
      ),
    );
  if (!makesKeys && existing !== undefined)
    found.push(refusal("needless-existing", "The key stays the same here; remove `existing`."));
  if (makesKeys && config.keys.label === undefined)
    found.push(
      finding(
        "not-attributable",
        "warn",
        "A key whose answer is lost cannot be told from a stranger's, and a person is asked; give `keys.label`, and {tag} in the mint request.",
      ),
    );
  return found;
}

function ofTheSlot(
  config: HttpConfig,
  account: HttpAccount,
  host: string,
  slot: string,
  look: SlotLook,
): Finding[] {
  const { key, standing, strays } = look;
  const state = parseTag(standing.tag)?.state;
  const found: Finding[] = [];
  if (
    key === undefined &&
    standing.key !== null &&
    standing.done &&
    (state === undefined || state === "enabled")
  )
    found.push(refusal("key-not-listed", `${host} lists no key ${standing.key}; correct the account.`, slot));
  if (strays.length > 0)
    found.push(refusal("unattributed-key", `${strayText(host, look)} ${strayHint}`, slot));
  if (standing.done && shownSlot(config, account, slot, look).unkept)
    found.push(
      refusal("changed-outside", `${slot} was given another value at ${host} since it was kept.`, slot),
    );
  if (config.fence.in === "label" && key && key.label !== "" && readLabel(key.label).tag === "")
    found.push(
      finding(
        "label-in-use",
        "warn",
        `The label of ${slot} holds a text, which the tag will take the place of.`,
        slot,
      ),
    );
  return found;
}

function finding(code: string, severity: Severity, sentence: string, subject?: string): Finding {
  return { code, severity, sentence, ...(subject === undefined ? {} : { subject }) };
}

function refusal(code: string, sentence: string, subject?: string): Finding {
  return finding(code, "refuse", sentence, subject);
}
