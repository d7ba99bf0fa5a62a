/** What IAM tells about all users of an account: its credential report, and for each key when AWS saw it last. */
import type { IAMClient } from "@aws-sdk/client-iam";
import { RekeyError } from "../../domain/errors.js";
import type { AdapterDeps, Call } from "../ports.js";
import { AwsCalls, type AwsSettings, clientOptions, Refused } from "../shared/aws.js";
import { lazily } from "../shared/lazily.js";
import { pause } from "../shared/retry.js";

const iam = lazily<typeof import("@aws-sdk/client-iam")>("@aws-sdk/client-iam");

/** When and for what AWS saw a key last. `service` and `region` are "" where it does not say. Times in milliseconds since the epoch. */
export interface LastUse {
  readonly at: number;
  readonly service: string;
  readonly region: string;
}

/** The report as CSV, and when AWS made it, in milliseconds since the epoch. */
export interface CredentialReport {
  readonly csv: string;
  readonly madeAt: number;
}

/** AWS makes a report in seconds, and at most one in four hours; whoever asks sooner gets the one before. */
const waits = { times: 30, pauseMs: 1_000 };
const notYet = ["ReportInProgress", "CredentialReportNotReadyException"];
const none = [
  "ReportNotPresent",
  "CredentialReportNotPresentException",
  "ReportExpired",
  "CredentialReportExpiredException",
];
const absent = ["NoSuchEntity", "NoSuchEntityException"];

/** IAM of one account, looked at only. */
export class ReportApi {
  readonly server: string;
  readonly #client: IAMClient;
  readonly #calls: AwsCalls;

  constructor(settings: AwsSettings, deps: AdapterDeps) {
    const china = settings.region.startsWith("cn-");
    const region = china ? "cn-north-1" : "us-east-1";
    const endpoint =
      settings.endpoint ?? (china ? "https://iam.cn-north-1.amazonaws.com.cn" : "https://iam.amazonaws.com");
    this.#client = new (iam().IAMClient)(clientOptions({ ...settings, region }, endpoint, deps));
    this.server = `AWS IAM of account ${settings.account}`;
    this.#calls = new AwsCalls("iam", this.server, settings.timeout);
  }

  /** Has the report made and waits for it. Throws `unreachable` where AWS is not done with it in half a minute. */
  async report(call: Call): Promise<CredentialReport> {
    for (let time = 1; time <= waits.times; time++) {
      // It changes nothing but what can be read here, so it may be asked for again.
      const made = await this.#calls.ask("GenerateCredentialReport", [], call, (options) =>
        this.#client.send(new (iam().GenerateCredentialReportCommand)({}), options),
      );
      if (!(made instanceof Refused) && made.State === "COMPLETE") {
        const got = await this.#calls.ask("GetCredentialReport", [...notYet, ...none], call, (options) =>
          this.#client.send(new (iam().GetCredentialReportCommand)({}), options),
        );
        if (!(got instanceof Refused)) {
          const csv = Buffer.from(got.Content ?? []).toString("utf8");
          return { csv, madeAt: got.GeneratedTime?.getTime() ?? 0 };
        }
      }
      await pause(waits.pauseMs, call, this.server);
    }
    throw new RekeyError("unreachable", `${this.server} was not done with its credential report in time.`);
  }

  /** The last use of each key of the user that lets somebody in; none where the user is gone by now. */
  async lastUses(user: string, call: Call): Promise<LastUse[]> {
    const listed = await this.#calls.ask("ListAccessKeys", absent, call, (options) =>
      this.#client.send(new (iam().ListAccessKeysCommand)({ UserName: user }), options),
    );
    if (listed instanceof Refused) return [];
    const ids = (listed.AccessKeyMetadata ?? []).flatMap(({ AccessKeyId, Status }) =>
      AccessKeyId !== undefined && Status === "Active" ? [AccessKeyId] : [],
    );
    const uses = await Promise.all(ids.map((id) => this.#lastUse(id, call)));
    return uses.flatMap((use) => (use === null ? [] : [use]));
  }

  async #lastUse(id: string, call: Call): Promise<LastUse | null> {
    const answer = await this.#calls.ask("GetAccessKeyLastUsed", absent, call, (options) =>
      this.#client.send(new (iam().GetAccessKeyLastUsedCommand)({ AccessKeyId: id }), options),
    );
    const used = answer instanceof Refused ? undefined : answer.AccessKeyLastUsed;
    if (used?.LastUsedDate === undefined) return null;
    return { at: used.LastUsedDate.getTime(), service: told(used.ServiceName), region: told(used.Region) };
  }

  close(): void {
    this.#client.destroy();
  }
}

/** AWS writes N/A where it does not know. */
function told(text: string | undefined): string {
  return text === undefined || text === "N/A" ? "" : text;
}
