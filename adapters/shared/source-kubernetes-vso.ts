/**
 * HashiCorp's Vault Secrets Operator: Secrets that it fills from documents of Vault, or with what Vault makes for it, and volumes that
 * it fills the same way. Source: its API reference, group `secrets.hashicorp.com`.
 */
import type { LocationThing } from "../../domain/discovery/said.js";
import { listOf, mapOf, named } from "./source-config.js";
import {
  type KubernetesFrame,
  type KubernetesObject,
  pathOf,
  scopeOf,
  secretAt,
} from "./source-kubernetes-objects.js";
import { remotesAt, wholePath } from "./source-kubernetes-vault.js";
import { location, type Says } from "./source-says.js";
import type { VaultDocument } from "./source-stores.js";

/** Under which name `stores` says what is behind the operator, unless it names the VaultAuth. */
const operator = "VaultSecretsOperator";

type Fields = Readonly<Record<string, unknown>>;

/** What is read of Vault: as it is told, and the document that it is. */
interface Asked {
  readonly text: string;
  readonly document: VaultDocument;
}

/** True where the object is of a kind that fills, and has been said. */
export function saysVaultOperator(
  object: KubernetesObject,
  spec: Fields,
  frame: KubernetesFrame,
  says: Says,
): boolean {
  if (object.group !== "secrets.hashicorp.com") return false;
  if (object.kind === "CSISecrets") {
    const at = location(scopeOf(frame), pathOf(object));
    for (const entry of listOf(mapOf(spec.secrets).vaultStaticSecrets).map(mapOf))
      saysFrom(at, documentOf(entry), object, spec, frame, says);
    return true;
  }
  const name = named(mapOf(spec.destination).name);
  if (name === null) return false;
  const secret = secretAt(frame, says, object.namespace, name);
  const asked = askedBy(object.kind, spec);
  if (asked !== null) saysFrom(secret, asked, object, spec, frame, says);
  else
    says.declared(
      secret,
      "depends-on",
      location(scopeOf(frame), pathOf(object)),
      `${pathOf(object)} fills it`,
    );
  return true;
}

function askedBy(kind: string, spec: Fields): Asked | null {
  const mount = named(spec.mount);
  const role = named(spec.role);
  switch (kind) {
    case "VaultStaticSecret":
      return documentOf(spec);
    case "VaultDynamicSecret": {
      const path = named(spec.path);
      return mount === null || path === null ? null : whole(`${mount}/${path}`);
    }
    case "VaultPKISecret":
      return mount === null || role === null ? null : whole(`${mount}/issue/${role}`);
    default:
      return null;
  }
}

function whole(text: string): Asked {
  return { text, document: wholePath(text) };
}

/** By `mount` and `path`, neither with `data/` in it. */
function documentOf(entry: Fields): Asked | null {
  const mount = named(entry.mount)?.replace(/^\/+|\/+$/g, "");
  const path = named(entry.path)?.replace(/^\/+|\/+$/g, "");
  if (mount === undefined || path === undefined) return null;
  return { text: `${mount}/${path}`, document: { mount, path } };
}

function saysFrom(
  at: LocationThing,
  asked: Asked | null,
  object: KubernetesObject,
  spec: Fields,
  frame: KubernetesFrame,
  says: Says,
): void {
  if (asked === null) return;
  const { text, document } = asked;
  const store = storeOf(object, spec, frame);
  const namespace = named(spec.namespace);
  const inside = { ...document, mount: `${namespace}/${document.mount}` };
  // A namespace of Vault is told by a prefix of its own, or not at all.
  const isTold = namespace !== null && frame.places(store, inside)?.isSaid === true;
  for (const remote of remotesAt(frame, says, store, text, isTold ? inside : document))
    says.declared(at, "depends-on", remote, `${pathOf(object)} fills it from ${text} of Vault`);
}

/** `VaultAuth/shop/default` where the settings name that one, otherwise the operator as a whole. */
function storeOf(object: KubernetesObject, { vaultAuthRef }: Fields, frame: KubernetesFrame): string {
  // A text, `name` or `namespace/name`; of CSISecrets a map of the two.
  const { name, namespace } = mapOf(vaultAuthRef);
  const [last, above = named(namespace) ?? object.namespace] = (named(vaultAuthRef) ?? named(name) ?? "")
    .split("/")
    .reverse();
  const auth = `VaultAuth/${above}/${last}`;
  return frame.places(auth, "") === null ? operator : auth;
}
