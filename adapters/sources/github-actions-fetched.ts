/** What the steps of a job fetch from stores, with actions that are made for it or in their scripts. */
import { fetchedIn, logicalPaths } from "../shared/source-ci-scripts.js";
import { type CiStore, saysFetch } from "../shared/source-ci-stores.js";
import { listOf, mapOf, named, textOf } from "../shared/source-config.js";
import { type Says, told } from "../shared/source-says.js";
import type { Reading } from "./github-actions-places.js";
import { anything, type Lookup, possibleTexts } from "./github-actions-possible.js";

/** What is fetched, as a step writes it: with its expressions. */
interface Wanted {
  readonly store: CiStore;
  readonly key: string | null;
  readonly field: string;
}

type With = (name: string) => string;

/** Actions that fetch, by what they are given. */
const fetching: Readonly<Record<string, (given: With) => Wanted[]>> = {
  "hashicorp/vault-action": (given) =>
    // `path key | NAME ;`, where the key may be an expression of its own.
    split(given("secrets"), /;/).flatMap((line) => {
      const [path = "", key = ""] = wordsOf(line);
      return [{ store: "vault", key: path, field: key === "*" ? "" : key.replace(/["']/g, "") }];
    }),
  "aws-actions/aws-secretsmanager-get-secrets": (given) =>
    // `NAME, id`, or the id alone; a star at its end stands for all that begin so.
    split(given("secret-ids"), /\n/).map((line) => {
      const id = line.slice(line.indexOf(",") + 1).trim();
      return { store: "aws_secrets_manager", key: id.endsWith("*") ? null : id, field: "" };
    }),
  "google-github-actions/get-secretmanager-secrets": (given) =>
    // `name:project/secret/version`, or `projects/p/secrets/s/versions/v` behind the colon.
    split(given("secrets"), /[\n,]/).map((line) => {
      const path = line.slice(line.indexOf(":") + 1).trim();
      const [, full] = /^projects\/[^/]+\/secrets\/([^/]+)/s.exec(path) ?? [];
      return { store: "gcp_secret_manager", key: full ?? path.split("/")[1] ?? null, field: "" };
    }),
  "azure/get-keyvault-secrets": (given) =>
    split(given("secrets"), /[\n,]/).map((name) => ({
      store: "azure_key_vault",
      key: name === "*" ? null : name,
      field: "",
    })),
};

/** Actions that fetch from a store of a kind that is not read here. */
const unread = new Set([
  "1password/load-secrets-action",
  "akeyless-community/akeyless-github-action",
  "bitwarden/sm-action",
  "cyberark/conjur-action",
  "delineaxpm/dsv-github-action",
  "dopplerhq/secrets-fetch-action",
  "infisical/secrets-action",
]);

/** What each step fetches; what has a name that cannot be known is a gap. */
export function saysFetched(reading: Reading, steps: unknown, at: string, lookup: Lookup, says: Says): void {
  const { path, repository, places } = reading.workflow;
  const scope = `github ${repository.name}`;
  for (const [index, written] of listOf(steps).entries()) {
    const step = mapOf(written);
    const where = `${at}.steps.${textOf(step.name) ?? index} of ${path}`;
    const action = (named(step.uses) ?? "").replace(/@.*/s, "").toLowerCase();
    if (unread.has(action))
      says.gap(`${where} fetches with ${told(action)}, and what it fetches is not read.`);
    const given = new Map(
      Object.entries(mapOf(step.with)).map(([name, value]) => [name.toLowerCase(), value]),
    );
    const byAction = fetching[action]?.((name) => textOf(given.get(name)) ?? "") ?? [];
    for (const { store, key, field } of [...byAction, ...fetchedIn(textOf(step.run) ?? "")]) {
      const keys = key === null ? [anything] : possibleTexts(key, lookup);
      if (keys.some((one) => isOpen(one)))
        says.gap(`${where} fetches from ${store} by a name that is made when it runs, and is not read.`);
      for (const one of keys.filter((one) => !isOpen(one)))
        for (const path of store === "vault" ? logicalPaths(one) : [one])
          saysFetch({ reader: reading.reader, scope, places }, { store, key: path, field }, where, says);
    }
  }
}

/** It has something in it that only the job will know. */
function isOpen(key: string): boolean {
  return key.includes(anything) || key.includes("$") || key === "";
}

function split(text: string, by: RegExp): string[] {
  return text.split(by).flatMap((line) => line.trim() || []);
}

/** Words of a line, each with its expressions and quoted texts whole. */
function wordsOf(line: string): string[] {
  return line.match(/(?:\$\{\{.{0,300}?\}\}|"[^"]{0,1000}"|'[^']{0,1000}'|[^\s|])+/gs) ?? [];
}
