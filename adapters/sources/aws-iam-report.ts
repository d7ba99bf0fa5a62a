/**
 * Which users of an AWS account have access keys, how old these are, and when AWS saw one of them last. AWS does not tell who
 * used it. So nobody is said to have: it is a use of the key, by whom is not said.
 */
import { z } from "zod";
import type { Listed, Use } from "../../domain/discovery/said.js";
import { RekeyError } from "../../domain/errors.js";
import { name } from "../../domain/estate/fields.js";
import { refusalOf } from "../../domain/finding.js";
import type { AdapterDeps, Call, Source, SourceKind } from "../ports.js";
import { awsFields, refuseOtherAccount } from "../shared/aws.js";
import { differing } from "../shared/source-agree.js";
import { cursorIn, partOf, type Said } from "../shared/source-part.js";
import { type LastUse, ReportApi } from "./aws-iam-report-api.js";
import { rootUser, type UserInReport, usersIn } from "./aws-iam-report-rows.js";

const config = z.strictObject({
  ...awsFields,
  issuer: name().describe("The issuer of the estate that this account is; its accounts are its users."),
});

type Config = z.output<typeof config>;

/** What the engine asks AWS. */
export const reportActions = [
  "iam:GenerateCredentialReport",
  "iam:GetCredentialReport",
  "iam:ListAccessKeys",
  "iam:GetAccessKeyLastUsed",
] as const;

const usersInPart = 50;
const askedAtOnce = 5;
const cursorSchema = z.strictObject({ after: z.string() });

/** The kind's entry in the registry. */
export const awsIamReport: SourceKind<typeof config> = {
  shows: "now",
  sees: "configuration",
  config,
  create: (settings, deps) => createReport(settings, deps),
  contradicts: (settings, { issuer }) =>
    differing(settings, issuer, { field: "issuer", kind: "aws-iam", same: ["account"] }),
  grants:
    () => `# The IAM policy for Rekey to see which keys there are. Run this in a shell that is logged in to AWS as an administrator, and
# attach it to the role of Rekey's worker. It allows no change.
aws iam create-policy --policy-name rekey-discovery --policy-document file:///dev/stdin <<'JSON'
${JSON.stringify(
  { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: reportActions, Resource: "*" }] },
  null,
  2,
)}
JSON
`,
};

function createReport(settings: Config, deps: AdapterDeps): Source {
  const api = new ReportApi(settings, deps);
  return {
    async preflight(call) {
      try {
        const { users } = usersIn((await api.report(call)).csv);
        const [first] = users;
        if (first !== undefined) refuseOtherAccount(first.arn, settings, api.server);
        return [];
      } catch (error) {
        if (!(error instanceof RekeyError)) throw error;
        return [{ ...refusalOf(error), subject: settings.account }];
      }
    },
    async *scan(cursor: string | null, call: Call) {
      const after = cursor === null ? null : cursorIn(cursorSchema, cursor).after;
      const { csv, madeAt } = await api.report(call);
      const { users, malformed } = usersIn(csv);
      for (const { arn } of users) refuseOtherAccount(arn, settings, api.server);
      const left = users.filter(({ user }) => after === null || user > after);
      const covered = { from: madeAt, until: madeAt };
      const bad: Said = { malformed, records: malformed.length };
      if (after === null && left.length === 0) yield partOf([bad], covered, JSON.stringify({ after: "" }));
      for (let from = 0; from < left.length; from += usersInPart) {
        const some = left.slice(from, from + usersInPart);
        const said: Said[] = from === 0 && after === null ? [bad] : [];
        for (let at = 0; at < some.length; at += askedAtOnce) {
          const asked = some.slice(at, at + askedAtOnce);
          said.push(...(await Promise.all(asked.map((user) => userSaid(user, settings, madeAt, api, call)))));
        }
        yield partOf(said, covered, JSON.stringify({ after: some.at(-1)?.user ?? "" }));
      }
    },
    close: async () => api.close(),
  };
}

/** A user without a key has nothing that could be rotated here: it may be a person with a password. */
async function userSaid(
  { user, keys }: UserInReport,
  { account, issuer }: Config,
  madeAt: number,
  api: ReportApi,
  call: Call,
): Promise<Said> {
  if (keys.length === 0) return {};
  const record = `credential report of AWS account ${account}`;
  const createdAt = Math.min(...keys.map((key) => key.madeAt));
  const to = { is: "account", issuer, account: user, class: "api-key", createdAt } as const;
  const listed: Listed = {
    record,
    thing: to,
    seen: { first: createdAt, last: Math.max(createdAt, madeAt), count: 1 },
  };
  const known = keys.flatMap(({ lastUse }) => (lastUse === null ? [] : [lastUse]));
  // The report is up to four hours old; AWS tells about one key sooner. The root's keys it tells nobody.
  const fresh = user !== rootUser && keys.some(({ active }) => active) ? await api.lastUses(user, call) : [];
  const uses = [...known, ...fresh];
  if (uses.length === 0) return { listed: [listed] };
  const last = uses.reduce((a, b) => (b.at >= a.at ? b : a));
  const use: Use = {
    record,
    of: to,
    seen: { first: last.at, last: last.at, count: 1 },
    sentence: `AWS saw an access key of ${user} last at ${new Date(last.at).toISOString()}${forWhat(last)}.`,
  };
  return { listed: [listed], uses: [use] };
}

function forWhat({ service, region }: LastUse): string {
  return `${service === "" ? "" : `, for ${service}`}${region === "" ? "" : ` in ${region}`}`;
}
