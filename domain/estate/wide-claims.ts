/**
 * C7: who claims everybody, or nearly everybody, leaves no reader unmapped, and the gate would have nobody to stop for. So what stands
 * before a star has to say whose it is: an account, a cluster and a namespace, the beginning of a name.
 */
import { type EstateIssue, issue } from "./issues.js";
import type { Estate, Match } from "./types.js";

/** Fewer bits than this are more than one network of anybody. */
const rangeBitsMin = { ipv4: 8, ipv6: 16 };

/** Fewer characters begin too many names. */
const nameCharsMin = 3;

/** Every claim of a consumer that is of whoever shows the trait, or of nearly whoever does. */
export function checkMatches(estate: Estate): EstateIssue[] {
  return Object.entries(estate.consumers).flatMap(([name, { match }]) =>
    Object.entries(match).flatMap(([trait, claims]: [string, readonly string[] | undefined]) =>
      (claims ?? []).flatMap((claim, i) => {
        const found = widthOf(trait as keyof Match, claim);
        if (found === null) return [];
        const { whom, hint } = found;
        const message = `"${name}" would claim ${whom} any ${trait}, so ${whom === everybody ? "no" : "hardly a"} reader would be unmapped`;
        const path = ["consumers", name, "match", trait, i];
        return [issue({ path, code: "matches-everybody", message, hint })];
      }),
    ),
  );
}

const everybody = "whoever shows";
const nearly = "nearly whoever shows";

/** Whom a claim is of that is of too many, and how to write it; null of any other. */
function widthOf(
  trait: keyof Match,
  claim: string,
): { readonly whom: typeof everybody | typeof nearly; readonly hint: string } | null {
  if (trait === "address")
    return isWideRange(claim)
      ? { whom: everybody, hint: "name those that it has; a network is `10.0.0.0/8` or smaller" }
      : null;
  if (claim.trim() === "*") return { whom: everybody, hint: "name those that it has" };
  if (trait === "host")
    return claim.startsWith("*.") && claim.split(".").filter((label) => label !== "").length < 3
      ? { whom: nearly, hint: "name a domain of your own, such as `*.shop.example`, or each host" }
      : null;
  if (!claim.endsWith("*")) return null;
  const { says, hint } = beginnings[trait];
  return says(claim.slice(0, -1)) ? null : { whom: nearly, hint };
}

function isWideRange(range: string): boolean {
  const [net = "", bits] = range.split("/");
  return bits !== undefined && Number(bits) < rangeBitsMin[net.includes(":") ? "ipv6" : "ipv4"];
}

interface Beginning {
  /** Whether what stands before the star says whose it is. */
  readonly says: (text: string) => boolean;
  readonly hint: string;
}

const ofName: Beginning = {
  says: (text) => text.trim().length >= nameCharsMin,
  hint: `write at least ${nameCharsMin} characters before the star, or each name`,
};

/** `namespace/`, in whatever it is named within: `cluster-kind cluster namespace/`. */
const withinNamespace = /^(?:\S+ )*[^\s/]+\//;

const ofNamespace: Beginning = {
  says: (text) => withinNamespace.test(text),
  hint: "write all up to the slash behind its namespace or its project before the star, with the cluster where it has one, as `rekey consumers` shows it",
};

/** The resource of an ARN that has an account id. */
const resourceOfAccount = /^arn:[^:]*:[^:]*:[^:]*:[^:]+:(.*)$/s;

const beginnings: Readonly<Record<Exclude<keyof Match, "address" | "host">, Beginning>> = {
  applicationName: ofName,
  entity: ofName,
  role: {
    says: (text) => {
      const [, resource] = text.startsWith("arn:") ? (resourceOfAccount.exec(text) ?? []) : [text, text];
      const [, ...names] = (resource ?? "").split("/");
      // A whole name, or the beginning of one.
      return names.length > 1 ? names[0] !== "" : ofName.says(names.join(""));
    },
    hint: `write the account id and at least ${nameCharsMin} characters of its name before the star, such as \`arn:…:123456789012:assumed-role/orders/*\``,
  },
  serviceAccount: ofNamespace,
  workload: ofNamespace,
};
