/**
 * From a folder of files to an estate that can be applied, or to everything that is wrong with it. Only pieces that the inventory
 * does not know are read and checked, together with what they touch.
 */
import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { withClassPolicies } from "../../domain/estate/class-policies.js";
import type { EstateKinds } from "../../domain/estate/kinds.js";
import { checkPart } from "../../domain/estate/part.js";
import { type Section, sections } from "../../domain/estate/schema.js";
import { claimsOf } from "../../domain/estate/systems.js";
import type { Estate } from "../../domain/estate/types.js";
import type { EstateChanges } from "../../inventory/estate-changes.js";
import type { KnownEstate } from "../../inventory/estate-context.js";
import { type Body, bodyDigest, type Submission, type SubmittedEntry } from "../../inventory/submission.js";
import { atStart } from "./bytes.js";
import { type Fault, problemsIn } from "./folder-problems.js";
import { followed } from "./followers.js";
import { Gathering, withShared } from "./gathering.js";
import { Intake } from "./intake.js";
import { estateJsonSchema } from "./json-schema.js";
import { filesIn, piecesOf } from "./pieces.js";
import type { EstateProblem } from "./problem.js";

/** An estate as it can be applied, or what is wrong with it. */
export type FolderResult =
  | {
      readonly ok: true;
      readonly submission: Submission;
      /** What it changes, as the inventory has told; null where none was asked, or where that very estate is in force. */
      readonly changes: EstateChanges | null;
    }
  | { readonly ok: false; readonly problems: readonly EstateProblem[] };

/** Whether the estate's path leads to a folder; false where there is nothing. */
export async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isDirectory() ?? false;
}

/** Reads and checks a folder. Without `known` all of it is read. */
export async function readFolder(
  folder: string,
  kinds: EstateKinds,
  known: KnownEstate | null,
): Promise<FolderResult> {
  const gathering = new Gathering(kinds);
  const { base, digest } = await gather(folder, kinds, known, gathering);
  const shared = (await known?.shared()) ?? null;
  const header = gathering.finish(shared);
  const refused = async (faults: readonly Fault[]): Promise<FolderResult> => {
    return { ok: false, problems: await problemsIn(folder, faults) };
  };
  if (gathering.faults.length > 0) return refused(gathering.faults);
  const read = { ...header, ...gathering.entries } as unknown as Estate;
  const submitted = (estate: Estate): Submission => {
    const around = { ...estate, ...withShared(estate, shared) };
    return { digest, header, entries: entriesOf(around, kinds, gathering), base };
  };
  const likely = withPolicies(read, { ...shared?.policies, ...read.policies });
  const told = submitted(likely);
  const found = known === null ? undefined : await known.context(told);
  if (found === null) return { ok: true, submission: told, changes: null };
  // What was in force may have ended: only now it is known which policies there are.
  const policies = { ...found?.sections.policies, ...read.policies };
  const estate = withPolicies(likely, policies);
  const { context, entries } = found === undefined ? nothing : followed(found, policies);
  const part = context === undefined ? estate : merged(estate, context.sections);
  const isAsked = (section: Section, name: string) => context?.asked.has(`${section} ${name}`) ?? true;
  const broken = checkPart(part, kinds, isAsked);
  if (broken.length > 0) return refused(broken.map((issue) => gathering.faultOf(issue)));
  const submission = estate === likely ? told : submitted(estate);
  if (submission === told && entries.length === 0)
    return { ok: true, submission, changes: context?.changes ?? null };
  // What was answered of changes is about another submission: whoever applies asks again.
  const whole = { ...submission, entries: [...submission.entries, ...entries] };
  return { ok: true, submission: whole, changes: null };
}

const nothing = { context: undefined, entries: [] };

function withPolicies(estate: Estate, policies: Estate["policies"]): Estate {
  const credentials = withClassPolicies(estate.credentials, policies);
  return credentials === estate.credentials ? estate : { ...estate, credentials };
}

/** To be raised when a rule of the estate changes that its schema does not show: then every estate is checked by it once more. */
const rules = 2;

/** What a piece means depends on the release and the kinds that read it: another one reads everything anew. */
function readingOf(kinds: EstateKinds): string {
  const schema = JSON.stringify(estateJsonSchema(kinds));
  return createHash("sha256").update(`${rules} ${schema}`).digest("base64url").slice(0, 10);
}

/** Bytes that are read while the inventory is still telling which pieces it knows. */
const aheadBytesMax = 8 * 1024 * 1024;

/** Takes in every piece of the folder that is not known; answers with what the rest rests on, and the digest of all. */
async function gather(
  folder: string,
  kinds: EstateKinds,
  known: KnownEstate | null,
  gathering: Gathering,
): Promise<Pick<Submission, "base" | "digest">> {
  const intake = new Intake(readingOf(kinds), gathering);
  const asked = (known?.pieces() ?? Promise.resolve(null)).then((there) => intake.open(there));
  // Its failure is told where it is waited for, which may be after a while.
  asked.catch(() => undefined);
  for (const file of await filesIn(folder)) {
    for await (const pieces of piecesOf(file)) {
      intake.meet(pieces);
      if (intake.aheadBytes > aheadBytesMax) await asked;
    }
  }
  await asked;
  if (intake.isEmpty && gathering.faults.length === 0) {
    const problem = atStart("empty", "there is no estate in this folder", "put .yaml or .jsonl files there");
    gathering.faults.push({ origin: { file: folder, line: 0 }, spotted: problem });
  }
  return { base: intake.base, digest: intake.digest };
}

function entriesOf(estate: Estate, kinds: EstateKinds, gathering: Gathering): SubmittedEntry[] {
  return sections.flatMap((section) =>
    Object.keys(gathering.entries[section]).map((name): SubmittedEntry => {
      const entry = estate[section][name];
      const body = entry as unknown as Body;
      const claims = section === "credentials" ? claimsOf(estate, kinds, entry as never) : [];
      return {
        section,
        name,
        body,
        digest: bodyDigest(body),
        piece: gathering.pieceOf(section, name),
        claims,
      };
    }),
  );
}

function merged(estate: Estate, context: Pick<Estate, Section>): Estate {
  const parts = sections.map((section) => [section, { ...context[section], ...estate[section] }] as const);
  return { ...estate, ...(Object.fromEntries(parts) as unknown as Pick<Estate, Section>) };
}
