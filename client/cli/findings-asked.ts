/** Which findings somebody asks for, by the names that people use: the same questions at the command line and at the API. */
import { RekeyError } from "../../domain/errors.js";
import { findingCodes, findingWords } from "../../domain/findings/codes.js";
import type { KeptFinding } from "../../domain/findings/course.js";
import { knownName } from "./choose.js";
import type { Inventory } from "./inventory.js";
import { nodeNamed } from "./node.js";

/** States that can be asked for. */
export const states = ["open", "excepted", "ended"] as const;
/** Severities, the gravest first. */
export const severities = ["refuse", "warn", "info"] as const;

/** What is left out does not matter; without a state, all that have not ended. */
export interface FindingsAsked {
  readonly code?: string;
  readonly severity?: string;
  readonly state?: string;
  /** Names. */
  readonly owner?: string;
  readonly credential?: string;
}

/**
 * The findings as they stand, the gravest first, and how many there are of them: all of them, or a part. Throws `not-found` with
 * the nearest name for what there is not: a name that is nobody's would look like one without findings.
 */
export async function findingsAsked(
  inventory: Inventory,
  { code, severity, state, owner, credential }: FindingsAsked,
  part?: { readonly limit: number; readonly offset: number },
) {
  const filter = {
    ...(code === undefined ? {} : { code: knownName(code, findingCodes, "code") }),
    ...(severity === undefined ? {} : { severity: knownName(severity, severities, "severity") }),
    ...(state === undefined ? {} : { state: knownName(state, states, "state") }),
    ...(owner === undefined ? {} : { owner: await ownerNamed(inventory, owner) }),
    ...(credential === undefined
      ? {}
      : { credential: (await nodeNamed(inventory, credential, ["credential"])).id }),
  };
  return inventory.findings({ ...filter, ...(part === undefined ? {} : { part }) });
}

/** A finding by its number with everything that became of it, what it means and what mends it. Throws `not-found`. */
export async function findingTold(inventory: Inventory, number: string) {
  const kept = /^[0-9]{1,15}$/.test(number) ? await inventory.finding(Number(number)) : null;
  if (kept === null)
    throw new RekeyError("not-found", `There is no finding ${number}.`, "`rekey findings` lists them.");
  const { finding, changes } = kept;
  const { what, mend } = findingWords(finding.code);
  return { ...finding, means: what, mend, changes };
}

/** An owner of the estate, or one of the past. */
async function ownerNamed(inventory: Inventory, name: string): Promise<string> {
  const owners = await inventory.entries("owners", { ended: true });
  return knownName(
    name,
    owners.map((owner) => owner.name),
    "owner",
  );
}

/** It keeps a rotation from beginning, or cannot wait for one. */
export function isRefusing({ state, severity }: Pick<KeptFinding, "state" | "severity">): boolean {
  return state === "open" && severity === "refuse";
}
