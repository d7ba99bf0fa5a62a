/**
 * What the types of providers mean: which stand for a secret of a store and what of them says which one, which attributes hold a
 * value, and which texts only name a secret that whoever has them fetches later.
 */
import { secretArn } from "../shared/secret-arn.js";
import { mapOf, textOf } from "../shared/source-config.js";
import { secretName, valuesIn } from "../shared/source-values.js";

/** A type that stands for a secret of a store. */
interface StoreType {
  /** As settings and the map call the store, whichever way a secret of it is reached. */
  readonly as: string;
  /** Attributes that say which secret, in one text with slashes between; the first of several ways that is there. */
  readonly names: readonly (readonly string[])[];
  /** It says that the secret is there, and holds no value of it. */
  readonly isPointer?: true;
}

const of = (as: string, ...names: readonly (readonly string[])[]): StoreType => ({ as, names });
const pointer = (as: string, ...names: readonly (readonly string[])[]): StoreType => ({
  ...of(as, ...names),
  isPointer: true,
});

const aws = "aws_secretsmanager_secret_version";
const azure = "azurerm_key_vault_secret";
const google = "google_secret_manager_secret_version";
const kubernetes = "kubernetes_secret";
const inCluster = ["metadata.0.namespace", "metadata.0.name"];

const storeTypes: Readonly<Record<string, StoreType>> = {
  aws_secretsmanager_secret: pointer(aws, ["name"], ["arn"], ["id"]),
  aws_secretsmanager_secret_version: of(aws, ["secret_id"], ["secret_arn"], ["arn"]),
  aws_ssm_parameter: of("aws_ssm_parameter", ["name"], ["arn"]),
  aws_ssm_parameters_by_path: of("aws_ssm_parameter", ["path"]),
  azurerm_key_vault_secret: of(azure, ["key_vault_id", "name"], ["versionless_id"], ["id"]),
  google_secret_manager_regional_secret: pointer(google, ["secret_id"], ["id"]),
  google_secret_manager_regional_secret_version: of(google, ["secret"]),
  google_secret_manager_regional_secret_version_access: of(google, ["secret"]),
  google_secret_manager_secret: pointer(google, ["secret_id"], ["id"]),
  google_secret_manager_secret_version: of(google, ["secret"]),
  google_secret_manager_secret_version_access: of(google, ["secret"]),
  kubernetes_secret: of(kubernetes, inCluster),
  kubernetes_secret_v1: of(kubernetes, inCluster),
  kubernetes_secret_v1_data: of(kubernetes, inCluster),
  vault_generic_secret: of("vault_generic_secret", ["path"]),
  vault_kv_secret: of("vault_kv_secret", ["path"]),
  vault_kv_secret_v2: of("vault_kv_secret_v2", ["mount", "name"]),
};

/** What a type stands for; undefined for one that is no secret of a store. */
export function storeTypeOf(type: string): StoreType | undefined {
  return Object.hasOwn(storeTypes, type) ? storeTypes[type] : undefined;
}

/** Which secrets a resource stands for, as `keyOf` says them; none where nothing that is known says so. `at` gives an attribute's text by its path. */
export function keysIn(type: string, attributes: unknown, at: (path: string) => string | null): string[] {
  const known = storeTypeOf(type);
  if (known === undefined) return [];
  if (type === "aws_ssm_parameters_by_path") {
    const { names } = mapOf(attributes);
    const each = Array.isArray(names) ? names.flatMap((name) => textOf(name) ?? []) : [];
    if (each.length > 0) return each;
    const path = at("path");
    return path === null ? [] : [`${path.replace(/\/$/, "")}/*`];
  }
  for (const names of known.names) {
    const parts = names.map((name) => at(name) ?? (name === "metadata.0.namespace" ? "default" : ""));
    if (parts.at(-1) !== "") return [keyOf(known.as, parts.join("/"))];
  }
  return [];
}

/** One name for a secret that providers call by several: the ids of resources, addresses, ARNs of parameters. */
function keyOf(as: string, text: string): string {
  if (as === google) return /(?:^|\/)secrets\/([^/]+)/.exec(text)?.[1] ?? text.split(/[/:]/)[0] ?? text;
  if (as === azure) {
    const [, vault, name] =
      /^https:\/\/([\w-]+)\.vault\.[\w.-]+\/secrets\/([\w-]+)/.exec(text) ??
      /\/vaults\/([^/]+)\/(?:secrets\/)?([^/]+)/.exec(text) ??
      [];
    return vault === undefined ? text : `${vault}/${name}`;
  }
  if (as === "aws_ssm_parameter") {
    const [, name] = /^arn:aws[a-z-]*:ssm:[^:]*:[^:]*:parameter\/(.+)$/.exec(text) ?? [];
    // In an ARN the slash before a name of one part is not its own.
    return name === undefined ? text : name.includes("/") ? `/${name}` : name;
  }
  return text;
}

/** The name alone where an ARN tells it for sure, so that it is the same place as one that is called by its name. */
export function plainKey(key: string): string {
  const names = secretArn(key)?.names ?? [];
  return names.length === 1 ? (names[0] ?? key) : key;
}

/** Attributes by which providers give out what they hold, whatever they are called. */
const valueAttributes = new Set(
  "secret_string secret_data data_json value insecure_value result plaintext".split(" "),
);

/** Attributes of random resources and of stores hold a secret even where no name says so. */
const secretTypes =
  /^(?:random_password|tls_private_key|aws_iam_access_key|.*_secret(?:_version|_v[0-9]+)?(?:_access|_data)?|aws_ssm_parameter|vault_generic_secret|aws_secretsmanager_random_password)$/;

/** Maps whose every entry is a value of the secret, by the type. */
const valueMaps: readonly (readonly [RegExp, RegExp])[] = [
  [
    /^(?:vault_(?:generic|kv)_secret(?:_v2)?|kubernetes_secret(?:_v1|_v1_data)?)$/,
    /^(?:data|string_data)(?:\.|$)/,
  ],
  [/^aws_ssm_parameters_by_path$/, /^values(?:\.|$)/],
];

/** What is written and never kept is called as the attribute that it stands for, with `_wo` behind. */
export function withoutWriteOnly(name: string): string {
  return name.replace(/_wo$/, "");
}

/** True for an attribute of a type that holds a secret by what both are called. */
export function holdsSecret(type: string, attribute: string): boolean {
  if (namesSecret(type, attribute)) return false;
  const last = withoutWriteOnly(attribute.split(".").at(-1) ?? attribute);
  return (
    secretName(last) !== null ||
    (secretTypes.test(type) && valueAttributes.has(last)) ||
    valueMaps.some(([types, paths]) => types.test(type) && paths.test(attribute.replace(/_wo$/, "")))
  );
}

/** True for an attribute that says which secret, however much it is called like one. */
export function namesSecret(type: string, attribute: string): boolean {
  const names = storeTypeOf(type)?.names.flat() ?? [];
  return names.includes(attribute) || (type.startsWith("google_") && /\.secret$/.test(attribute));
}

/** Of these a secret's name says who may read or change it, and not who uses it. */
export const aboutRights =
  /^aws_(?:iam|kms|cloudtrail|backup|secretsmanager)_|_policy(?:_attachment|_document)?$|_rotation$|_iam_(?:member|binding|policy)$/;

/** Attributes that hold rights, labels, or what the provider itself has made of a resource. */
const noUse =
  /(?:^|\.)(?:policy|assume_role_policy|inline_policy|tags|tags_all|master_user_secret|managed_policy_arns)(?:\.|$)/;

/** A secret that a text names, by the store's name in settings and its key. */
export interface Pointer {
  readonly as: string;
  readonly key: string;
}

/** Where a text stands that may name a secret. */
export interface PointerPlace {
  readonly type: string;
  readonly path: string;
  readonly text: string;
  /** The provider calls it sensitive: then a text that only stands where names do is no name. */
  readonly isSensitive: boolean;
  /** The map in which it stands, for what is said beside it. */
  readonly beside: Readonly<Record<string, unknown>>;
  readonly namespace: string;
}

const inManifest =
  /(?:secret_?key_?ref|secret_?ref|image_?pull_?secrets|env_?from\.[^.]+\.secret_?ref)(?:\.[^.]+)?\.name$|(?:^|\.)secret(?:\.[0-9]+)?\.secret_?name$/i;

/** The secrets that a text names and whoever has it fetches: ARNs, addresses, ids, and names where nothing else can stand. */
export function pointersIn({ type, path, text, isSensitive, beside, namespace }: PointerPlace): Pointer[] {
  if (aboutRights.test(type) || noUse.test(path) || storeTypeOf(type) !== undefined) return [];
  const found: Pointer[] = [];
  const add = (as: string, key: string) => found.push({ as, key: keyOf(as, key) });
  for (const [arn] of text.matchAll(
    /\barn:aws[a-z-]*:secretsmanager:[^:\s"']*:[0-9]{12}:secret:[\w/+=.@-]+/g,
  ))
    add(aws, arn);
  for (const [arn] of text.matchAll(/\barn:aws[a-z-]*:ssm:[^:\s"']*:[0-9]{12}:parameter\/[\w/.-]+/g))
    add("aws_ssm_parameter", arn);
  for (const [, service, key = ""] of text.matchAll(
    /\{\{resolve:(secretsmanager|ssm|ssm-secure):([^:}\s]+)[:}]/g,
  ))
    add(service === "secretsmanager" ? aws : "aws_ssm_parameter", key);
  for (const [address] of text.matchAll(/\bhttps:\/\/[\w-]+\.vault\.[\w.-]+\/secrets\/[\w-]+/g))
    add(azure, address);
  for (const [, vault, name] of text.matchAll(/\bVaultName=([\w-]+);\s*SecretName=([\w-]+)/gi))
    add(azure, `${vault}/${name}`);
  for (const [id] of text.matchAll(/\bprojects\/[^/\s"']+\/(?:locations\/[^/\s"']+\/)?secrets\/[\w-]+/g))
    add(google, id);
  if (found.length > 0 || isSensitive || text === "" || /\s/.test(text)) return found;
  // Somebody has put the value where its name belongs.
  if (valuesIn("", text).length > 0) return found;
  const isCluster = /^(?:kubernetes|kubectl|helm)_/.test(type);
  if (isCluster && inManifest.test(path)) add(kubernetes, `${namespace}/${text}`);
  const isGoogle = type.startsWith("google_");
  if (isGoogle && (/\.secret$/.test(path) || /secret_key_ref(?:\.[0-9]+)?\.name$/.test(path)))
    add(google, text);
  // In the same region a parameter is called by its name alone.
  if (/(?:^|\.)secret(?:s|_?options)\.[^.]+\.value_?from$/i.test(path)) add("aws_ssm_parameter", text);
  const kind = textOf(beside.type);
  if (/(?:^|\.)value$/.test(path) && kind === "PARAMETER_STORE") add("aws_ssm_parameter", text);
  if (/(?:^|\.)value$/.test(path) && kind === "SECRETS_MANAGER") add(aws, text.split(":")[0] ?? text);
  return found;
}

/** Attributes that a program is given, in which a value in clear is one that it uses. */
const givenToPrograms =
  /(?:^|\.)(?:environment(?:_variables?)?|env|variables|app_settings|connection_string|container_(?:definitions|properties)|(?:custom_data|user_data)\w*|metadata_startup_script|startup-script|runtime_environment_\w+|(?:sensitive_)?config_vars|yaml_body|manifest|set|set_sensitive)(?:\.|$)/;

/** True for an attribute by which a resource that runs a program hands it something. */
export function isGiven(type: string, path: string): boolean {
  return givenToPrograms.test(path) || (type === "helm_release" && /^values(?:\.|$)/.test(path));
}
