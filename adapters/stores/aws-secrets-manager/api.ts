/** Secrets Manager as a handful of calls with typed answers, so that the protocol's part reads without the SDK. */
import type { DescribeSecretCommandOutput, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { RekeyError } from "../../../domain/errors.js";
import type { AdapterDeps, Call } from "../../ports.js";
import { AwsCalls, clientOptions, publicEndpoint, Refused, refuseOtherAccount } from "../../shared/aws.js";
import { lazily } from "../../shared/lazily.js";
import type { SecretsManagerConfig } from "./schema.js";

const secrets = lazily<typeof import("@aws-sdk/client-secrets-manager")>("@aws-sdk/client-secrets-manager");

/** One version of a secret: its id, and its text where it has one. */
export interface SecretVersion {
  readonly id: string;
  readonly text: string | undefined;
}

/** What is known of a secret besides its values. */
export interface SecretInfo {
  /** Labels by the id of the version that they stand on; versions without labels are left out. */
  readonly labels: ReadonlyMap<string, readonly string[]>;
  readonly rotates: boolean;
  /** The service that keeps it, where AWS itself does. */
  readonly owner: string | undefined;
  readonly deleted: boolean;
  readonly primaryRegion: string | undefined;
  readonly replicas: readonly { readonly region: string; readonly status: string }[];
}

const deletedCode = "InvalidRequestException";

/** One account and region. Clients and their connections are shared by all places of a process. */
export class SecretsManagerApi {
  readonly server: string;
  readonly #client: SecretsManagerClient;
  readonly #calls: AwsCalls;
  readonly #config: SecretsManagerConfig;

  constructor(config: SecretsManagerConfig, deps: AdapterDeps) {
    const endpoint = config.endpoint ?? publicEndpoint("secretsmanager", config.region);
    this.#config = config;
    this.#client = new (secrets().SecretsManagerClient)(clientOptions(config, endpoint, deps));
    this.server = `AWS Secrets Manager in ${config.region}`;
    this.#calls = new AwsCalls("secretsmanager", this.server, config.timeout);
  }

  /** The version that carries the label, or that has the id; `null` where there is none. Throws `unsupported` for a secret that is marked as deleted. */
  async read(
    name: string,
    which: { label: string } | { id: string },
    call: Call,
  ): Promise<SecretVersion | null> {
    const query = "label" in which ? { VersionStage: which.label } : { VersionId: which.id };
    const answer = await this.#calls.ask("GetSecretValue", [absent, deletedCode], call, (options) =>
      this.#client.send(new (secrets().GetSecretValueCommand)({ SecretId: name, ...query }), options),
    );
    if (answer instanceof Refused) {
      if (answer.code === absent) return null;
      throw isDeleted(name);
    }
    this.#refuseOther(answer.ARN);
    return { id: answer.VersionId ?? "", text: answer.SecretString };
  }

  /** What is known of the secret, or `null` where there is none. */
  async describe(name: string, call: Call): Promise<SecretInfo | null> {
    const answer = await this.#calls.ask("DescribeSecret", [absent], call, (options) =>
      this.#client.send(new (secrets().DescribeSecretCommand)({ SecretId: name }), options),
    );
    if (answer instanceof Refused) return null;
    this.#refuseOther(answer.ARN);
    return infoOf(answer);
  }

  /** Makes the secret with a first version, which becomes the current one. `exists`: somebody was quicker. */
  async create(name: string, text: string, token: string, call: Call): Promise<"made" | "exists"> {
    const { kmsKey } = this.#config;
    const answer = await this.#calls.change(
      "CreateSecret",
      ["ResourceExistsException", deletedCode],
      call,
      (options) =>
        this.#client.send(
          new (secrets().CreateSecretCommand)({
            Name: name,
            SecretString: text,
            ClientRequestToken: token,
            ...(kmsKey === undefined ? {} : { KmsKeyId: kmsKey }),
          }),
          options,
        ),
    );
    if (answer instanceof Refused && answer.code === deletedCode) throw isDeleted(name);
    return answer instanceof Refused ? "exists" : "made";
  }

  /**
   * Adds a version under one label, taking it from whichever version had it. The token becomes the version's id: the
   * same token and text again change nothing. `exists`: that id has another text. `absent`: there is no such secret.
   */
  async put(
    name: string,
    text: string,
    token: string,
    label: string,
    call: Call,
  ): Promise<{ readonly labels: readonly string[] } | "exists" | "absent"> {
    const handled = ["ResourceExistsException", absent, deletedCode];
    const answer = await this.#calls.change("PutSecretValue", handled, call, (options) =>
      this.#client.send(
        new (secrets().PutSecretValueCommand)({
          SecretId: name,
          SecretString: text,
          ClientRequestToken: token,
          VersionStages: [label],
        }),
        options,
      ),
    );
    if (!(answer instanceof Refused)) return { labels: answer.VersionStages ?? [] };
    if (answer.code === deletedCode) throw isDeleted(name);
    return answer.code === absent ? "absent" : "exists";
  }

  /**
   * The compare-and-set: moves a label from the version that has it, or only takes it away. `stale`: the label is not
   * on `from`, so nothing was changed.
   */
  async move(
    name: string,
    label: string,
    from: string,
    to: string | null,
    call: Call,
  ): Promise<"moved" | "stale"> {
    const handled = ["InvalidParameterException", absent, deletedCode];
    const answer = await this.#calls.change("UpdateSecretVersionStage", handled, call, (options) =>
      this.#client.send(
        new (secrets().UpdateSecretVersionStageCommand)({
          SecretId: name,
          VersionStage: label,
          RemoveFromVersionId: from,
          ...(to === null ? {} : { MoveToVersionId: to }),
        }),
        options,
      ),
    );
    if (answer instanceof Refused && answer.code === deletedCode) throw isDeleted(name);
    return answer instanceof Refused ? "stale" : "moved";
  }

  #refuseOther(arn: string | undefined): void {
    refuseOtherAccount(arn, this.#config, this.server);
  }
}

const absent = "ResourceNotFoundException";

function infoOf(answer: DescribeSecretCommandOutput): SecretInfo {
  const labels = Object.entries(answer.VersionIdsToStages ?? {}).filter(([, names]) => names.length > 0);
  return {
    labels: new Map(labels),
    rotates: answer.RotationEnabled === true,
    owner: answer.OwningService,
    deleted: answer.DeletedDate !== undefined,
    primaryRegion: answer.PrimaryRegion,
    replicas: (answer.ReplicationStatus ?? []).map(({ Region, Status }) => ({
      region: Region ?? "",
      status: Status ?? "",
    })),
  };
}

function isDeleted(name: string): RekeyError {
  return new RekeyError(
    "unsupported",
    `The secret ${name} is marked as deleted, or AWS refuses requests about it in its present state.`,
    "Restore it (`aws secretsmanager restore-secret`), then resume.",
  );
}

const clients = new WeakMap<AdapterDeps, Map<string, SecretsManagerApi>>();

/** One client for all places of these settings in a process. */
export function apiFor(config: SecretsManagerConfig, deps: AdapterDeps): SecretsManagerApi {
  const known = clients.get(deps) ?? new Map<string, SecretsManagerApi>();
  clients.set(deps, known);
  const key = JSON.stringify(config);
  const api = known.get(key) ?? new SecretsManagerApi(config, deps);
  known.set(key, api);
  return api;
}
