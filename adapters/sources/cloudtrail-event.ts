/** What one event of CloudTrail says about secrets that were read, access keys that were made, and access keys that were used. Pure. */
import { isIP } from "node:net";
import {
  type Claim,
  olderVersion,
  type ReaderThing,
  type ReaderTraits,
} from "../../domain/discovery/said.js";
import { secretArn } from "../shared/secret-arn.js";
import { inside, shown, textIn } from "../shared/source-log-part.js";

/** What is looked for, out of the settings. */
export interface Watched {
  readonly account: string;
  /** The store's own region, and those that its secrets are replicated to. */
  readonly regions: ReadonlySet<string>;
  readonly store: string | undefined;
  readonly issuer: string | undefined;
  /** Roles and addresses of Rekey itself. */
  readonly roles: ReadonlySet<string>;
  readonly addressesOfEngine: ReadonlySet<string>;
  readonly addresses: boolean;
}

/** One edge that an event shows, with where it was asked from. */
export interface EventSays {
  readonly told: Pick<Claim, "known" | "from" | "type" | "to">;
  /** The version of a secret that was asked for; absent for whatever is the current one. */
  readonly version?: string;
  readonly from: string;
  readonly did: string;
}

/** Rekey's own role, as the reader that it would be; null where somebody else did it, or only its address tells that it was Rekey. */
export function ownIn(event: unknown, watched: Watched): ReaderThing | null {
  if (watched.roles.size === 0) return null;
  return hasOwnRole(inside(event, "userIdentity"), watched) ? callerOf(event, watched) : null;
}

/** Everything that an event says which is not of Rekey's own role (`ownIn`); nothing for most of them. */
export function eventSays(event: unknown, watched: Watched): EventSays[] {
  const identity = inside(event, "userIdentity");
  const owner = textIn(event, "recipientAccountId") ?? textIn(identity, "accountId");
  if (owner !== watched.account || isOwnTry(event, watched)) return [];
  const name = textIn(event, "eventName");
  const service = textIn(event, "eventSource");
  const done = textIn(event, "errorCode") === undefined;
  return [
    ...(done && service === "secretsmanager.amazonaws.com" ? secretReads(event, name, watched) : []),
    ...(done && service === "iam.amazonaws.com" && name === "CreateAccessKey" ? minted(event, watched) : []),
    ...keyUse(event, identity, watched),
  ];
}

/**
 * From the address of Rekey the one call by which it tries keys of others. Whoever else comes from there, or does anything else with
 * such a key, is no engine.
 */
function isOwnTry(event: unknown, watched: Watched): boolean {
  return (
    watched.addressesOfEngine.has(textIn(event, "sourceIPAddress") ?? "") &&
    textIn(event, "eventSource") === "sts.amazonaws.com" &&
    textIn(event, "eventName") === "GetCallerIdentity"
  );
}

function hasOwnRole(identity: unknown, watched: Watched): boolean {
  const issuer = inside(inside(identity, "sessionContext"), "sessionIssuer");
  const arns = [textIn(identity, "arn"), textIn(issuer, "arn")];
  return arns.some((arn) => arn !== undefined && watched.roles.has(arn));
}

/** A batch names the secrets that it asks for; those that a filter found have an event of their own each. */
function secretReads(event: unknown, name: string | undefined, watched: Watched): EventSays[] {
  const { store } = watched;
  if (store === undefined) return [];
  const asked = inside(event, "requestParameters");
  const list = inside(asked, "secretIdList");
  const ids =
    name === "GetSecretValue"
      ? [inside(asked, "secretId")]
      : name === "BatchGetSecretValue" && Array.isArray(list)
        ? list
        : [];
  const version = name === "GetSecretValue" ? versionIn(asked) : undefined;
  return ids.flatMap((id): EventSays[] => {
    const names = typeof id === "string" ? secretNames(id, textIn(event, "awsRegion"), watched) : [];
    return names.map((secret) => ({
      told: {
        known: "read",
        from: callerOf(event, watched),
        type: "uses",
        to: { is: "place", store, place: { name: secret } },
      },
      ...(version === undefined ? {} : { version }),
      from: sourceOf(event),
      did: `read ${shown(secret)} by ${name}${names.length > 1 ? ", or one whose name is like it: the ARN does not tell" : ""}`,
    }));
  });
}

/** What is on its way to become the current version is no older one. */
const presentLabels: ReadonlySet<string> = new Set(["AWSCURRENT", "AWSPENDING"]);

/** Labels move, and the event does not tell to which version: any but those may have been on an older one. */
function versionIn(asked: unknown): string | undefined {
  const label = textIn(asked, "versionStage") ?? "AWSCURRENT";
  return textIn(asked, "versionId") ?? (presentLabels.has(label) ? undefined : olderVersion);
}

/** The secret's name, where it is one of the account and region; both that it may be where an ARN does not tell. */
function secretNames(id: string, region: string | undefined, watched: Watched): readonly string[] {
  if (!id.startsWith("arn:"))
    return id !== "" && region !== undefined && watched.regions.has(region) ? [id] : [];
  const arn = secretArn(id);
  return arn !== null && watched.regions.has(arn.region) && arn.account === watched.account ? arn.names : [];
}

/** A region to which a secret of the store goes and whose reads are not counted; null for every other event. */
export function uncountedReplica(
  event: unknown,
  watched: Watched,
): { secret: string; region: string } | null {
  if (watched.store === undefined || textIn(event, "errorCode") !== undefined) return null;
  if (textIn(event, "eventSource") !== "secretsmanager.amazonaws.com") return null;
  if (!/^(?:CreateSecret|ReplicateSecretToRegions)$/.test(textIn(event, "eventName") ?? "")) return null;
  const asked = inside(event, "requestParameters");
  const added = inside(asked, "addReplicaRegions");
  const id = textIn(asked, "secretId") ?? textIn(asked, "name") ?? "";
  const [secret] = secretNames(id, textIn(event, "awsRegion"), watched);
  if (secret === undefined || !Array.isArray(added)) return null;
  const region = added
    .map((one) => textIn(one, "region"))
    .find((one) => one !== undefined && !watched.regions.has(one));
  return region === undefined ? null : { secret, region };
}

function minted(event: unknown, watched: Watched): EventSays[] {
  const { issuer } = watched;
  const key = inside(inside(event, "responseElements"), "accessKey");
  const user = textIn(key, "userName");
  if (issuer === undefined || user === undefined) return [];
  return [
    {
      told: {
        known: "read",
        from: callerOf(event, watched),
        type: "mints",
        to: { is: "account", issuer, account: user, class: "api-key" },
      },
      from: sourceOf(event),
      did: `made an access key of ${shown(user)}`,
    },
  ];
}

/** As AWS calls the account's root user where it lists keys. */
const rootUser = "<root_account>";

/** A call by a long-lived key, refused or not: whoever made it has the key. Of them the log shows only where they are. */
function keyUse(event: unknown, identity: unknown, watched: Watched): EventSays[] {
  const { issuer } = watched;
  if (issuer === undefined || textIn(identity, "accountId") !== watched.account) return [];
  if (textIn(identity, "accessKeyId")?.startsWith("AKIA") !== true) return [];
  const user = textIn(identity, "type") === "Root" ? rootUser : textIn(identity, "userName");
  if (user === undefined) return [];
  const from = sourceOf(event);
  const traits = isIP(from) === 0 ? { applicationName: from } : { address: from };
  return [
    {
      told: {
        known: "read",
        from: { is: "reader", name: shown(from), traits },
        type: "uses",
        to: { is: "account", issuer, account: user, class: "api-key" },
      },
      from: shown(textIn(event, "userAgent") ?? "a program without a name"),
      did: `called AWS with an access key of ${shown(user)}`,
    },
  ];
}

/** An address, or the name of a service of AWS that called for somebody. */
function sourceOf(event: unknown): string {
  return textIn(event, "sourceIPAddress") ?? "an unknown address";
}

/** Who called: the role behind a session, a user, or a service of AWS. */
function callerOf(event: unknown, watched: Watched): ReaderThing {
  const identity = inside(event, "userIdentity");
  const issuer = inside(inside(identity, "sessionContext"), "sessionIssuer");
  const role = textIn(issuer, "arn") ?? textIn(identity, "arn");
  const principal = role ?? textIn(identity, "principalId");
  const service = textIn(identity, "invokedBy");
  const source = sourceOf(event);
  const address = isIP(source) === 0 ? undefined : source;
  const known = principal !== undefined;
  const traits: ReaderTraits = {
    ...(principal === undefined ? {} : { role: principal }),
    ...(known || service === undefined ? {} : { applicationName: service }),
    ...(address === undefined || (known && !watched.addresses) ? {} : { address }),
  };
  const kind = classOf(event, identity, role);
  return {
    ...{ is: "reader", name: shown(principal ?? service ?? source), traits },
    ...(kind === undefined ? {} : { class: kind }),
  };
}

/** As AWS calls the roles that persons get at its single sign-on. */
const personsRole = "/aws-reserved/sso.amazonaws.com/";

/**
 * A role is what something that runs acts as, unless the record says that a person does: one of the single sign-on's roles, a call on
 * behalf of one of its users (`onBehalfOf`), a session of the console, or a second factor that was shown. The names of a session and
 * of its source are chosen by whoever assumes a role, and tell nothing. A user with a long-lived key is an account for a program; one
 * without may be a person at the console. The fields are those of CloudTrail's reference of record contents.
 */
function classOf(event: unknown, identity: unknown, role: string | undefined): ReaderThing["class"] {
  const type = textIn(identity, "type");
  if (type === "AssumedRole") {
    const attributes = inside(inside(identity, "sessionContext"), "attributes");
    const isPerson =
      role?.includes(personsRole) === true ||
      textIn(inside(identity, "onBehalfOf"), "userId") !== undefined ||
      String(inside(event, "sessionCredentialFromConsole")) === "true" ||
      textIn(attributes, "mfaAuthenticated") === "true";
    return isPerson ? undefined : "workload-identity";
  }
  const hasKey = textIn(identity, "accessKeyId")?.startsWith("AKIA") === true;
  return type === "IAMUser" && hasKey ? "service-account" : undefined;
}
