/**
 * Templates of Vault's and OpenBao's agent and of consul-template, as far as they say what is read: `{{ with secret "secret/data/orders/db" }}`.
 * They stand in annotations of pods and in ConfigMaps, there inside of other languages.
 */
import { mapOf, textOf } from "./source-config.js";
import type { KubernetesObject, TemplateReads } from "./source-kubernetes-objects.js";

/** A call with its path as a text, which HCL and JSON write with strokes before the quotes; or with anything else. */
const call = /(?<![\w.$-])(secrets?|pkiCert)\s+(?:\\?"([^"\\]+)\\?"|`([^`]+)`|[$.(])/g;
/** `printf ... | secret`. */
const piped = /\|\s*secrets?\s*$/;

/** What stands between `{{` and `}}`, but for comments. Each character is looked at once, however many are never closed. */
function* actionsIn(text: string): Generator<string> {
  for (let from = text.indexOf("{{"); from >= 0; ) {
    const end = text.indexOf("}}", from);
    if (end < 0) return;
    const inside = text.slice(from + 2, end);
    if (!/^-?\s*\/\*/.test(inside)) yield inside;
    from = text.indexOf("{{", end);
  }
}

/** What the templates of a text read. */
export function templateReads(text: string): TemplateReads {
  const paths = new Set<string>();
  let isMore = false;
  for (const inside of actionsIn(text)) {
    isMore ||= piped.test(inside.replace(/-?$/, ""));
    for (const [, by, quoted, raw] of inside.matchAll(call)) {
      const path = quoted ?? raw;
      // `secrets` lists what is there, so that each of it can be read.
      if (path === undefined || by === "secrets") isMore = true;
      else paths.add(path);
    }
  }
  return { paths: [...paths], isMore };
}

/** What the templates of a ConfigMap read, with the agent's settings beside them; null for a ConfigMap that has neither. */
export function configReads({ body }: KubernetesObject): TemplateReads | null {
  const entries = Object.entries(mapOf(body.data));
  const { paths, isMore } = templateReads(entries.map(([, text]) => textOf(text) ?? "").join("\n"));
  const isAgents = entries.some(([key]) => /^config(?:-init)?\.hcl$/.test(key));
  return isAgents || paths.length > 0 || isMore ? { paths, isMore } : null;
}
