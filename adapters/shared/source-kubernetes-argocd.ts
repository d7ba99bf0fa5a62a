/**
 * The settings of Argo CD: ConfigMaps of names that it fixes, in which `$name` stands for an entry of a Secret that it reads through
 * the API. No pod and no field of a Secret's reference says so; without this the reference looks like a value in clear.
 * Source: the operator manual of Argo CD, "Sensitive Data and SSO Client Secrets" and "Notification Services".
 */
import { mapOf, textOf } from "./source-config.js";
import {
  type KubernetesFrame,
  type KubernetesObject,
  readerOf,
  secretAt,
} from "./source-kubernetes-objects.js";
import type { Says } from "./source-says.js";

interface Settings {
  /** The Secret that is meant where no other is named. */
  readonly secret: string;
  /** Entries in which references are replaced. */
  readonly isReplaced: (key: string) => boolean;
  /** A reference: `$entry`, and `$secret:entry` where Argo CD knows that form. */
  readonly reference: RegExp;
}

const settings: ReadonlyMap<string, Settings> = new Map([
  [
    "argocd-cm",
    {
      secret: "argocd-secret",
      isReplaced: (key) => key === "dex.config" || key === "oidc.config",
      // All of a value, and nothing inside of one.
      reference: /(?<=[:-] +)(["']?)\$(?:(?<secret>[\w.-]+):)?(?<entry>\w[\w.-]*)\1(?=\s*$)/gm,
    },
  ],
  [
    "argocd-notifications-cm",
    {
      secret: "argocd-notifications-secret",
      isReplaced: (key) => key.startsWith("service."),
      reference: /\$(?<entry>\w[\w-]*)/g,
    },
  ],
]);

/** Both are YAML in which a mark of a comment inside of quotes is not to be expected. */
const comment = /(?:^|\s)#.*$/gm;

function settingsOf({ name }: KubernetesObject, key: string): Settings | null {
  const found = settings.get(name);
  return found?.isReplaced(key) ? found : null;
}

/** Every entry of a Secret that the settings name; nothing for any other ConfigMap. */
export function saysSettings(object: KubernetesObject, frame: KubernetesFrame, says: Says): void {
  const { namespace, name, body } = object;
  for (const [key, value] of Object.entries(mapOf(body.data))) {
    const found = settingsOf(object, key);
    if (found === null) continue;
    for (const { groups } of (textOf(value) ?? "").replace(comment, "").matchAll(found.reference)) {
      const { secret = found.secret, entry = "" } = groups ?? {};
      says.declared(
        readerOf(object, frame),
        "uses",
        secretAt(frame, says, namespace, secret, entry),
        `${key} of the ConfigMap ${namespace}/${name} names it`,
      );
    }
  }
}

/** The text of an entry as other rules may read it: a reference in it is no value, nor is a comment behind one. */
export function withoutReferences(object: KubernetesObject, key: string, text: string): string {
  const found = settingsOf(object, key);
  return found === null ? text : text.replace(comment, "").replace(found.reference, "");
}
