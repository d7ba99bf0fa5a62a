/** The AWS account that all lanes share: one moto that looks at keys, signatures and rights, and an administrator in it. */
import { IAMClient } from "@aws-sdk/client-iam";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { startMoto } from "../../../worker/dev/moto.js";
import type { Progress } from "../../../worker/dev/progress.js";
import { administratorOf, userWith } from "../../support/aws-users.js";
import type { AwsAccount } from "../worlds/world.js";

/** The account as the house has it. */
export type OwnAwsAccount = AwsAccount & { stop(): Promise<void> };

/** moto's own account. */
const account = "123456789012";
const regions = ["eu-central-1", "us-east-1"] as const;
/** By how much the last region's STS is behind IAM; less than what the worlds declare as propagation. */
const behindMs = 600;

/** Starts moto, with an administrator. What it prints goes into `logFile`. */
export async function startAwsAccount(progress: Progress, logFile?: string): Promise<OwnAwsAccount> {
  const [region, far] = regions;
  const behind = { region: far, ms: behindMs };
  const moto = await startMoto({ progress, logFile, authorised: true, behind });
  const { address } = moto;
  try {
    const { keyId, secret } = await administratorOf(address);
    const credentials = { accessKeyId: keyId, secretAccessKey: secret };
    const iam = new IAMClient({ region: "us-east-1", endpoint: address, credentials });
    const secrets = new SecretsManagerClient({ region, endpoint: address, credentials });
    return {
      ...{ address, account, regions, iam, secrets },
      user: (name, actions) => userWith(iam, name, actions),
      stop: async () => {
        iam.destroy();
        secrets.destroy();
        await moto.stop();
      },
    };
  } catch (error) {
    await moto.stop();
    throw error;
  }
}
