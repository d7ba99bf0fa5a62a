/** IAM as far as access keys of one user go, as a handful of calls with typed answers. */
import type { IAMClient } from "@aws-sdk/client-iam";
import { RekeyError } from "../../../domain/errors.js";
import { Secret } from "../../../domain/secret.js";
import type { AdapterDeps, Call, SecretDocument } from "../../ports.js";
import { AwsCalls, clientOptions, Refused, refuseOtherAccount } from "../../shared/aws.js";
import { lazily } from "../../shared/lazily.js";
import type { IamConfig } from "./config.js";
import type { UserTag } from "./records.js";

const iam = lazily<typeof import("@aws-sdk/client-iam")>("@aws-sdk/client-iam");

const absent = "NoSuchEntity";
const absents = [absent, "NoSuchEntityException"];

/** A user as it is now: read in three requests, so not at one moment. */
export interface UserSeen {
  /** AWS's own id of the user: a user that was deleted and made anew under the same name has another one. */
  readonly id: string;
  readonly arn: string;
  readonly tags: ReadonlyMap<string, string>;
  /** The access keys by their ids. */
  readonly keys: ReadonlyMap<string, KeySeen>;
}

/** An access key as IAM lists it. */
export interface KeySeen {
  readonly active: boolean;
  /** In milliseconds since the epoch, on AWS's clock. */
  readonly createdAt: number;
}

/** When and for what a key was used last, as far as AWS knows; that may be hours behind. */
export interface LastUse {
  readonly at: number;
  readonly service: string;
}

/** IAM of one account. */
export class IamApi {
  readonly server: string;
  readonly #client: IAMClient;
  readonly #calls: AwsCalls;
  readonly #config: IamConfig;
  readonly #user: string;

  constructor(config: IamConfig, user: string, deps: AdapterDeps) {
    const china = config.region.startsWith("cn-");
    const region = china ? "cn-north-1" : "us-east-1";
    const endpoint =
      config.endpoint ?? (china ? "https://iam.cn-north-1.amazonaws.com.cn" : "https://iam.amazonaws.com");
    this.#client = new (iam().IAMClient)(clientOptions({ ...config, region }, endpoint, deps));
    this.#config = config;
    this.#user = user;
    this.server = `AWS IAM of account ${config.account}`;
    this.#calls = new AwsCalls("iam", this.server, config.timeout);
  }

  /** The user, or `null` where there is none of that name. */
  async user(call: Call): Promise<UserSeen | null> {
    const UserName = this.#user;
    const [found, listed, tagged] = await Promise.all([
      this.#calls.ask("GetUser", absents, call, (options) =>
        this.#client.send(new (iam().GetUserCommand)({ UserName }), options),
      ),
      this.#calls.ask("ListAccessKeys", absents, call, (options) =>
        this.#client.send(new (iam().ListAccessKeysCommand)({ UserName }), options),
      ),
      this.#calls.ask("ListUserTags", absents, call, (options) =>
        this.#client.send(new (iam().ListUserTagsCommand)({ UserName, MaxItems: 100 }), options),
      ),
    ]);
    if (found instanceof Refused || listed instanceof Refused || tagged instanceof Refused) return null;
    const { UserId: id = "", Arn: arn = "" } = found.User ?? {};
    refuseOtherAccount(arn, this.#config, this.server);
    const keys = (listed.AccessKeyMetadata ?? []).map(
      ({ AccessKeyId, Status, CreateDate }): [string, KeySeen] => [
        AccessKeyId ?? "",
        { active: Status === "Active", createdAt: CreateDate?.getTime() ?? 0 },
      ],
    );
    const tags = (tagged.Tags ?? []).map(({ Key, Value }): [string, string] => [Key ?? "", Value ?? ""]);
    return { id, arn, tags: new Map(tags), keys: new Map(keys) };
  }

  /** The last use that AWS knows of, or `null` for a key that was never used. */
  async lastUse(id: string, call: Call): Promise<LastUse | null> {
    const answer = await this.#calls.ask("GetAccessKeyLastUsed", absents, call, (options) =>
      this.#client.send(new (iam().GetAccessKeyLastUsedCommand)({ AccessKeyId: id }), options),
    );
    const used = answer instanceof Refused ? undefined : answer.AccessKeyLastUsed;
    return used?.LastUsedDate === undefined
      ? null
      : { at: used.LastUsedDate.getTime(), service: used.ServiceName ?? "" };
  }

  /** Writes all of the tags in one request, over whatever stands there: IAM has no check-and-set. */
  async tag(tags: readonly UserTag[], call: Call): Promise<void> {
    await this.#calls.change("TagUser", [], call, (options) =>
      this.#client.send(new (iam().TagUserCommand)({ UserName: this.#user, Tags: [...tags] }), options),
    );
  }

  /** Has AWS make a key. Throws `conflict` where the user has two. A lost answer is a key whose secret nobody has. */
  async create(call: Call): Promise<{ readonly id: string; readonly document: SecretDocument }> {
    const full = ["LimitExceeded", "LimitExceededException"];
    const answer = await this.#calls.change("CreateAccessKey", full, call, (options) =>
      this.#client.send(new (iam().CreateAccessKeyCommand)({ UserName: this.#user }), options),
    );
    if (answer instanceof Refused) {
      throw new RekeyError(
        "conflict",
        `${this.#user} has two access keys already, which is all that AWS allows.`,
      );
    }
    const { AccessKeyId: id = "", SecretAccessKey = "" } = answer.AccessKey ?? {};
    return { id, document: { username: new Secret(id), password: new Secret(SecretAccessKey) } };
  }

  /** Switches a key on or off. `absent`: there is no such key any more. */
  async switch(id: string, on: boolean, call: Call): Promise<"done" | "absent"> {
    const answer = await this.#calls.change("UpdateAccessKey", absents, call, (options) =>
      this.#client.send(
        new (iam().UpdateAccessKeyCommand)({
          UserName: this.#user,
          AccessKeyId: id,
          Status: on ? "Active" : "Inactive",
        }),
        options,
      ),
    );
    return answer instanceof Refused ? "absent" : "done";
  }

  /** Deletes a key for good; one that is not there is no error. */
  async remove(id: string, call: Call): Promise<void> {
    await this.#calls.change("DeleteAccessKey", absents, call, (options) =>
      this.#client.send(
        new (iam().DeleteAccessKeyCommand)({ UserName: this.#user, AccessKeyId: id }),
        options,
      ),
    );
  }

  close(): void {
    this.#client.destroy();
  }
}
