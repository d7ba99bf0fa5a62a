/**
 * A value tried as a consumer would use it. A status alone proves nothing: the answer has to say whose value it was
 * (H9), and only the statuses that the description names are a refusal of it.
 */
import { RekeyError } from "../../../domain/errors.js";
import type { Secret } from "../../../domain/secret.js";
import type { AdapterDeps, Call, NodeProof } from "../../ports.js";
import type { HttpConfig } from "./config.js";
import { textAt } from "./listing.js";
import { filled } from "./template.js";
import { ask, basic, openLine } from "./wire.js";

/** A key's id and its value. */
export interface Shown {
  readonly key: string;
  readonly value: Secret;
}

/** What one address made of it. */
interface Tried {
  readonly node: string;
  readonly is: "let in" | "let in as another" | "refused" | "unclear";
  readonly status: number;
}

/** Tries the value at every address that accepts it. Throws `unreachable` where one does not answer. */
function tryEverywhere(config: HttpConfig, shown: Shown, deps: AdapterDeps, call: Call): Promise<Tried[]> {
  const { address, test } = config;
  const all = test.at.length > 0 ? test.at : [address];
  return Promise.all(
    all.map(async (one): Promise<Tried> => {
      const line = await openLine(config, one, deps, call);
      const { key, value } = shown;
      const filling = { key, ...(test.present === "body" ? { value: value.reveal() } : {}) };
      const { status, document } = await ask(line, test, loginWith(config, shown), filling, call);
      const node = line.host;
      if (test.refused.includes(status)) return { node, is: "refused", status };
      if (!test.success.includes(status)) return { node, is: "unclear", status };
      const isIt = textAt(document, test.who) === filled(test.is, { key });
      return { node, is: isIt ? "let in" : "let in as another", status };
    }),
  );
}

function loginWith({ test }: HttpConfig, { key, value }: Shown): Record<string, string> {
  switch (test.present) {
    case "bearer":
      return { authorization: `Bearer ${value.reveal()}` };
    case "basic":
      return { authorization: basic(key, value.reveal()) };
    case "body":
      return {};
    default:
      return { [test.present.header.toLowerCase()]: value.reveal() };
  }
}

/** The answers as proofs of a login, or of its refusal. */
export async function proofs(
  config: HttpConfig,
  shown: Shown,
  wanted: "let in" | "refused",
  deps: AdapterDeps,
  call: Call,
): Promise<NodeProof[]> {
  const tried = await tryEverywhere(config, shown, deps, call);
  return tried.map(({ node, is, status }) => {
    const ok = is === wanted;
    if (is === "unclear")
      return { node, ok, sentence: `answered with status ${status}, which says nothing of ${shown.key}` };
    if (is === "refused")
      return { node, ok, sentence: `refused the value of ${shown.key} (status ${status})` };
    const whose = is === "let in" ? `as ${shown.key}` : `, and not as ${shown.key}`;
    return { node, ok, sentence: `let it in ${whose}`.replace(" ,", ",") };
  });
}

/** Throws `conflict` unless the value is the one that the key has. */
export async function mustBeTheValue(
  config: HttpConfig,
  slot: string,
  shown: Shown,
  deps: AdapterDeps,
  call: Call,
): Promise<void> {
  const tried = await tryEverywhere(config, shown, deps, call);
  if (tried.every(({ is }) => is === "let in")) return;
  throw new RekeyError("conflict", `${slot} has another value than the one that was kept.`);
}
