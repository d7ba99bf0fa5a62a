/** Requests to AWS that are signed with an access key, whoever makes them: they ask each region whose the key is. */
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";

/** Where AWS is. */
export interface AwsPlace {
  readonly address: string;
  readonly regions: readonly string[];
}

/** What a region said of a key: whose it is, or `null` for one that is switched off, gone or not heard of yet. */
export interface Said {
  readonly region: string;
  readonly arn: string | null;
}

/** Clients that sign with one key, for each region one. */
export class Caller {
  readonly #clients: readonly { readonly region: string; readonly sts: STSClient }[];

  constructor(
    { address, regions }: AwsPlace,
    key: { readonly username?: string | null; readonly password?: string },
  ) {
    const credentials = { accessKeyId: key.username ?? "", secretAccessKey: key.password ?? "" };
    this.#clients = regions.map((region) => ({
      region,
      sts: new STSClient({ region, endpoint: address, credentials }),
    }));
  }

  /** Asks all of them. Throws for any answer but a name and a refusal of the key. */
  ask(): Promise<Said[]> {
    return Promise.all(
      this.#clients.map(async ({ region, sts }) => {
        try {
          const { Arn = "" } = await sts.send(new GetCallerIdentityCommand({}));
          return { region, arn: Arn };
        } catch (error) {
          if (error instanceof Error && error.name.startsWith("InvalidClientTokenId"))
            return { region, arn: null };
          throw error;
        }
      }),
    );
  }

  end(): void {
    for (const { sts } of this.#clients) sts.destroy();
  }
}
