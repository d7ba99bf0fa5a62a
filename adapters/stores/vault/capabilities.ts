/** Asks Vault what the engine's token may do where, before anything depends on it; one request for all paths. */
import type { Finding } from "../../../domain/finding.js";
import type { Call } from "../../ports.js";
import { stagingFolder, stagingMount } from "./places.js";
import type { VaultConfig, VaultPlace } from "./schema.js";
import type { VaultSession } from "./session.js";

/** A right: any one of `anyOf` on `path`, and what it is for. */
interface Need {
  readonly path: string;
  readonly anyOf: readonly string[];
  readonly purpose: string;
}

/** What the engine needs on a place, as `rekey grants vault` gives it. */
function needsOf(config: VaultConfig, place: VaultPlace): Need[] {
  const staging = stagingMount(config);
  const folder = stagingFolder(config, place);
  return [
    { path: `${config.mount}/data/${place.path}`, anyOf: ["read"], purpose: "read the live document" },
    { path: `${config.mount}/data/${place.path}`, anyOf: ["patch", "update"], purpose: "promote a version" },
    { path: `${config.mount}/metadata/${place.path}`, anyOf: ["read"], purpose: "know the revisions kept" },
    { path: `${config.mount}/destroy/${place.path}`, anyOf: ["update"], purpose: "destroy old revisions" },
    { path: `${staging}/data/${folder}/any`, anyOf: ["create"], purpose: "stage a version" },
    { path: `${staging}/data/${folder}/any`, anyOf: ["read"], purpose: "read a staged version" },
    { path: `${staging}/metadata/${folder}/any`, anyOf: ["read"], purpose: "see that a copy is gone" },
    { path: `${staging}/metadata/${folder}/any`, anyOf: ["delete"], purpose: "remove a copy for good" },
    { path: `${staging}/metadata/${folder}/`, anyOf: ["list"], purpose: "list the copies" },
  ];
}

/** A finding for each right that is missing, and a warning where the engine may do more than it should. */
export async function capabilityFindings(
  session: VaultSession,
  config: VaultConfig,
  place: VaultPlace,
  call: Call,
): Promise<Finding[]> {
  const needs = needsOf(config, place);
  const live = `${config.mount}/data/${place.path}`;
  const paths = [...new Set(needs.map((need) => need.path))];
  const answer = await session.read("/sys/capabilities-self", "update sys/capabilities-self", call, {
    paths,
  });
  const rightsOn = (path: string): readonly unknown[] => {
    const rights = answer.body[path];
    return Array.isArray(rights) ? rights : [];
  };
  if (paths.every((path) => rightsOn(path).includes("root"))) {
    const sentence =
      "The engine's Vault token is a root token; give it the policy of `rekey grants vault` instead.";
    return [{ code: "vault-engine-is-root", severity: "warn", sentence, subject: config.address }];
  }
  const missing = needs
    .filter(({ path, anyOf }) => !anyOf.some((right) => rightsOn(path).includes(right)))
    .map(({ path, anyOf, purpose }): Finding => {
      const sentence = `The engine's policy lacks ${anyOf.join(" or ")} on ${path}, needed to ${purpose}; \`rekey grants vault\` prints it.`;
      return { code: "vault-right-missing", severity: "refuse", sentence, subject: path };
    });
  if (rightsOn(live).includes("patch") || missing.length > 0) return missing;
  const sentence = `The engine's policy has no patch on ${live}, so whole documents are written, with values of others in them.`;
  return [{ code: "vault-no-patch", severity: "warn", sentence, subject: live }];
}
