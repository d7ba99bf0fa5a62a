/** Where the secrets of a job are: the stores of `secrets:`, and the variables of the project. */
import type { LocationThing } from "../../domain/discovery/said.js";
import type { Fetched } from "../shared/source-ci-stores.js";
import { isMap, listOf, mapOf, named, textOf } from "../shared/source-config.js";
import { location, type Says, told } from "../shared/source-says.js";
import { secretName } from "../shared/source-values.js";
import { interpolated } from "../shared/source-variables.js";
import type { Body, Part, Project } from "./gitlab-ci-gather.js";

/** Made by the platform for each job, and gone with it. Others that begin so are made by people, such as `GITLAB_TOKEN`. */
const platformOwn = new Set(
  "CI_JOB_TOKEN CI_JOB_JWT CI_JOB_JWT_V1 CI_JOB_JWT_V2 CI_BUILD_TOKEN CI_REGISTRY_PASSWORD CI_DEPENDENCY_PROXY_PASSWORD".split(
    " ",
  ),
);

/** Names behind which an address with a password stands, or a file with one: what they are says no more than that. */
const carries =
  /(?:^|_)(?:(?:DATABASE|DB|REDIS|MONGO|MONGODB|POSTGRES|POSTGRESQL|PG|MYSQL|MARIADB|AMQP|RABBITMQ|BROKER)_(?:URL|URI)|DSN|CONNECTION_STRING|KUBE_?CONFIG|CREDS|NETRC|NPMRC|DOCKER_AUTH_CONFIG)$/i;

/** What variables of a job may hold, as far as it is written. */
export type Variables = ReadonlyMap<string, ReadonlySet<string>>;

/** Names of secrets in the variables that a text takes in, as any shell of a runner writes them. */
export function secretVariables(text: string, { variables }: Project): string[] {
  const names = [
    ...interpolated(text),
    // PowerShell's, those of `cmd`, and of a shell that asks for a length or goes by another one's name.
    ...[...text.matchAll(/\$\{?env:([A-Za-z_]\w*)|%([A-Za-z_]\w*)%|\$\{[!#]([A-Za-z_]\w*)/gi)].flatMap(
      ([, a, b, c]) => a ?? b ?? c ?? [],
    ),
  ];
  return names.filter(
    (name) =>
      !platformOwn.has(name) && (secretName(name) !== null || carries.test(name) || variables.has(name)),
  );
}

/** A variable of the project; the platform's own deploy token is one of those. */
export function variableAt({ project }: Project, name: string, says: Says): LocationThing {
  if (name === "CI_DEPLOY_PASSWORD") return oneAt(project, "deploy-tokens", "gitlab-deploy-token", says);
  return oneAt(project, "variables", name, says);
}

function oneAt(project: string, what: string, name: string, says: Says): LocationThing {
  const at = location(`gitlab ${project}`, `${what}/${name}`);
  const all = location(`gitlab ${project}`, `${what}/*`);
  says.declared(at, "stored-in", all, `${name} is one of the ${what} of ${project}`);
  return at;
}

/** What the variables of a job may hold, by all that its parts and the pipeline's own say of them. */
export function variablesOf(parts: readonly Part[]): Variables {
  const found = new Map<string, Set<string>>();
  const add = (variables: unknown) => {
    for (const [name, value] of Object.entries(mapOf(variables))) {
      const texts = isMap(value) ? [value.value, ...listOf(value.options)] : [value].flat();
      const known = found.get(name) ?? new Set();
      found.set(name, known);
      for (const text of texts) known.add(textOf(text) ?? "$");
    }
  };
  for (const { body } of parts) {
    add(body.variables);
    for (const rule of [...listOf(body.rules), ...listOf(mapOf(body.workflow).rules)])
      add(mapOf(rule).variables);
    for (const entry of listOf(mapOf(body.parallel).matrix)) add(entry);
  }
  return found;
}

/** More of them than anybody wrote. */
const textsMax = 200;

/** Each text that it can be with its variables put in; null where one of them is not written out. */
export function putIn(text: string, variables: Variables): string[] | null {
  let texts = [text];
  for (const name of new Set(interpolated(text))) {
    const values = [...(variables.get(name) ?? ["$"])];
    const taken = new RegExp(`\\$(?:\\{${name}\\}|${name}(?![A-Za-z0-9_]))`, "g");
    texts = texts.flatMap((one) => values.map((value) => one.replace(taken, () => value)));
    if (texts.length > textsMax) return null;
  }
  return texts.some((one) => one.includes("$")) ? null : texts;
}

/** A secret of `secrets:`: what is fetched from a store, a place of GitLab's own, or null for a store that is not known. */
export function heldBy(secret: Body, { project }: Project, says: Says): Fetched | LocationThing | null {
  const { vault } = secret;
  const short = named(vault);
  if (short !== null) {
    // `path/field@mount`; without a mount it is `kv-v2`.
    const [whole = "", mount = "kv-v2"] = told(short).split("@");
    const slash = whole.lastIndexOf("/");
    const key = `${mount}/${whole.slice(0, Math.max(0, slash))}`;
    return { store: "vault", key, field: whole.slice(slash + 1) };
  }
  if (isMap(vault)) {
    const mount = named(mapOf(vault.engine).path) ?? "kv-v2";
    return { store: "vault", key: `${mount}/${textOf(vault.path) ?? ""}`, field: textOf(vault.field) ?? "" };
  }
  const azure = named(mapOf(secret.azure_key_vault).name);
  if (azure !== null) return { store: "azure_key_vault", key: azure, field: "" };
  const google = named(mapOf(secret.gcp_secret_manager).name);
  if (google !== null) return { store: "gcp_secret_manager", key: google, field: "" };
  const own = mapOf(secret.gitlab_secrets_manager);
  if (named(own.name) !== null) return oneAt(named(own.source) ?? project, "secrets", String(own.name), says);
  // `name#field`, or both by themselves.
  const [id = "", field = ""] = (named(secret.aws_secrets_manager) ?? "").split("#");
  if (id !== "") return { store: "aws_secrets_manager", key: id, field };
  const long = mapOf(secret.aws_secrets_manager);
  const name = named(long.secret_id);
  return name === null ? null : { store: "aws_secrets_manager", key: name, field: textOf(long.field) ?? "" };
}
