/**
 * From one login to a pair without an outage: a planned list of steps, each with its undo. The former login
 * stays the owner of everything and keeps logging in until the pair is proven and nobody uses it (H14).
 */
import type { Finding } from "../../../domain/finding.js";
import type { AdopterStep } from "../../ports.js";
import { type AdoptionView, adoptionFindings } from "./adopt-checks.js";
import {
  forgetFormerSql,
  rememberFormerSql,
  switchOffFormerSql,
  switchOnFormerSql,
  undoActAsGroupSql,
  undoLoginsSql,
  undoMembershipSql,
  undoRegisterSql,
  undoSettingsSql,
} from "./adopt-sql.js";
import type { RoleFacts } from "./facts.js";
import {
  actAsGroupSql,
  copySettingsSql,
  createLoginsSql,
  membershipSql,
  type PairNames,
  registerSql,
} from "./pair.js";
import { ident } from "./sql-text.js";

/** Names of the steps, in their order. */
export type AdoptionStepId =
  | "logins"
  | "settings"
  | "membership"
  | "act-as-group"
  | "register"
  | "move"
  | "former-off";

/** One step. `by: "engine"` has no SQL: it is an ordinary rotation, with its own gates and its own way back. */
export interface PairStep extends AdopterStep {
  readonly id: AdoptionStepId;
}

/** The steps in order, and what stands in the way. */
export interface AdoptionPlan {
  readonly steps: readonly PairStep[];
  readonly findings: readonly Finding[];
}

/** Where an adoption stands; `next` is `null` once everything is done. */
export interface AdoptionStatus {
  readonly next: AdoptionStepId | null;
  readonly adopted: boolean;
  readonly sentence: string;
}

/** Plans the adoption, purely. Steps that are already done are marked so; doing them again changes nothing. */
export function planAdoption(view: AdoptionView, asked: PairNames): AdoptionPlan {
  const pair: PairNames = { ...asked, owner: asked.owner ?? view.functionOwner ?? undefined };
  const { group, logins } = pair;
  const names = logins.map(ident).join(", ");
  const former = ident(group);
  const step = (
    id: AdoptionStepId,
    sentence: string,
    run: string,
    undoSentence: string,
    undo: string,
    by: PairStep["by"] = "administrator",
  ): PairStep => ({
    id,
    by,
    sentence,
    run,
    undoSentence,
    undo,
    done: isDone(id, view, pair),
    touched: isTouched(id, view, pair),
  });
  const steps = [
    step(
      "logins",
      `Make ${names}, switched off and without a password, with the attributes and limits of ${former}.`,
      createLoginsSql(pair, true),
      `Drop what of ${names} this made; refused while one of them is on, connected, or owns anything.`,
      undoLoginsSql(pair),
    ),
    step(
      "settings",
      `Give them the settings of ${former}, for all databases and for each one.`,
      copySettingsSql(pair),
      "Take their settings away.",
      undoSettingsSql(pair),
    ),
    step(
      "membership",
      `Make them members of ${former}: they inherit its rights, may take its place, and cannot pass it on.`,
      membershipSql(pair),
      "End their membership.",
      undoMembershipSql(pair),
    ),
    step(
      "act-as-group",
      `Let them act as ${former} from their login on, so that ownership, row security and default privileges stay as they are.`,
      actAsGroupSql(pair),
      "Let them act as themselves.",
      undoActAsGroupSql(pair),
    ),
    step(
      "register",
      `Allow Rekey to rotate them, and to switch ${former} off.`,
      `${rememberFormerSql(group)}\n${registerSql({ ...pair, logins: [...logins, group] })}`,
      "Take that permission back, and restore the comment that stood on the former login.",
      `${undoRegisterSql(pair)}\n${forgetFormerSql(group)}`,
    ),
    step(
      "move",
      `Rotate the credential with \`rekey rotate\`: its consumers move from ${former} to one of ${names}, wave by wave.`,
      "",
      `Go back with \`rekey rotate\`: its consumers return to ${former}.`,
      "",
      "engine",
    ),
    step(
      "former-off",
      `Switch ${former} off and forget its password; refused while it has a session or no login of the pair is on.`,
      switchOffFormerSql(pair),
      `Switch ${former} on again with the password that it had.`,
      switchOnFormerSql(group),
    ),
  ];
  return { steps, findings: adoptionFindings(view, pair) };
}

/** Where it stands, in one sentence for people. */
export function adoptionStatus(view: AdoptionView, pair: PairNames): AdoptionStatus {
  const { steps, findings } = planAdoption(view, pair);
  const open = steps.find((step) => !step.done);
  if (open === undefined) {
    return {
      next: null,
      adopted: true,
      sentence: `${pair.group} is the owning group of ${pair.logins.join(", ")}.`,
    };
  }
  const refused = findings.filter(({ severity }) => severity === "refuse").length;
  const count = `${steps.filter((step) => step.done).length} of ${steps.length} steps are done`;
  const hindrance =
    refused === 0 ? "" : `, and ${refused} ${refused === 1 ? "check refuses" : "checks refuse"}`;
  return { next: open.id, adopted: false, sentence: `${count}${hindrance}. Next: ${open.sentence}` };
}

function isDone(id: AdoptionStepId, view: AdoptionView, pair: PairNames): boolean {
  const former = view.roles.find(({ role }) => role === pair.group);
  const members = pair.logins.map((login) => view.roles.find(({ role }) => role === login));
  const every = (check: (role: RoleFacts) => boolean) =>
    members.every((role) => role !== undefined && check(role));
  switch (id) {
    case "logins":
      return every(({ role }) => sameAs("attributes", role, view, pair));
    case "settings":
      return every(({ role }) => sameAs("settings", role, view, pair));
    case "membership":
      return every((role) => role.member && role.inherits && role.sets && !role.admin);
    case "act-as-group":
      return every((role) => role.actsAs === pair.group);
    case "register":
      return every((role) => role.managedAs === pair.group) && former?.managedAs === pair.group;
    case "move":
      return former?.sessions === 0 && members.some((role) => role?.enabled);
    case "former-off":
      return former !== undefined && !former.enabled && former.sessions === 0;
  }
}

/** Whether something of the step stands, so that its undo has something to do; also where it is half done or was done by hand. */
function isTouched(id: AdoptionStepId, view: AdoptionView, pair: PairNames): boolean {
  const former = view.roles.find(({ role }) => role === pair.group);
  const members = view.roles.filter(({ role }) => pair.logins.includes(role));
  switch (id) {
    case "logins":
      return view.made.length > 0;
    case "settings":
      // The role to act as is kept among the settings, and goes with them too.
      return view.logins.some(({ login, settings }) => view.made.includes(login) && settings.length > 0);
    case "membership":
      return members.some(({ member }) => member);
    case "act-as-group":
      return members.some(({ actsAs }) => actsAs === pair.group);
    case "register":
      return [...members, former].some((role) => (role?.managedAs ?? null) !== null);
    case "move":
      return members.some(({ enabled }) => enabled);
    case "former-off":
      return isDone(id, view, pair);
  }
}

/** INHERIT is said by the membership, and the role to act as is a step of its own. */
function sameAs(
  field: "attributes" | "settings",
  login: string,
  view: AdoptionView,
  pair: PairNames,
): boolean {
  const of = (name: string) =>
    (view.logins.find((candidate) => candidate.login === name)?.[field] ?? [])
      .filter((entry) => !entry.startsWith("inherit=") && !/^\S+ role=/.test(entry))
      .join("\n");
  return of(login) === of(pair.group);
}
