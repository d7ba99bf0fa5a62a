/**
 * A service that works at AWS with an access key, which it reads in Secrets Manager: each request is signed with the
 * key, by clients that are made for it or by ones that are kept. It names the label AWSCURRENT, as the policy that is
 * printed for consumers wants it; moto, asked without a label, goes on to give out the first version.
 */
import { readFile } from "node:fs/promises";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { serve, type Work } from "../../../examples/services/serve.js";
import { readServiceSettings } from "../../../examples/services/settings.js";
import { type Credential, parseCredentialJson, swapPool, useCredential } from "../../../kit/index.js";
import { Caller } from "./aws-caller.js";
import { isRefusal, Refused, styleOf, watchAs } from "./style.js";

const { AWS_PLACE = "", SECRET_NAME = "", USER_ARN = "", READER_FILE = "" } = process.env;
const [address = "", ...regions] = AWS_PLACE.split(",");
const [accessKeyId = "", secretAccessKey = ""] = (await readFile(READER_FILE, "utf8")).split("\n");
const secrets = new SecretsManagerClient({
  ...(regions[0] === undefined ? {} : { region: regions[0] }),
  endpoint: address,
  credentials: { accessKeyId, secretAccessKey },
});
const current = new GetSecretValueCommand({ SecretId: SECRET_NAME, VersionStage: "AWSCURRENT" });
const settings = readServiceSettings(process.env, async (abortSignal) => {
  const { SecretString = "" } = await secrets.send(current, { abortSignal });
  return parseCredentialJson(SecretString);
});
const style = styleOf(process.env);

/** A request with clients of one version. */
interface Signing {
  readonly keyId: string;
  readonly caller: Caller;
}

function signingWith(credential: Credential): Signing {
  return { keyId: credential.username ?? "", caller: new Caller({ address, regions }, credential) };
}

/** Returns the id of the key that every region let in. */
async function work({ keyId, caller }: Signing): Promise<string> {
  for (const { region, arn } of await caller.ask()) {
    if (arn === null) throw new Refused(`${region} refuses the key`);
    if (arn !== USER_ARN) throw new Error(`${keyId} was let in as somebody else`);
  }
  return keyId;
}

async function workOnce(credential: Credential): Promise<string> {
  const signing = signingWith(credential);
  try {
    return await work(signing);
  } finally {
    signing.caller.end();
  }
}

const credential = await watchAs(style, settings);

async function begin(): Promise<Work> {
  if (style !== "pool") {
    const run = () => useCredential(credential, workOnce, isRefusal);
    return { run, close: async () => undefined };
  }
  const pool = await swapPool<Signing>(credential, {
    open: signingWith,
    prove: async (signing) => void (await work(signing)),
    drain: async ({ caller }) => caller.end(),
    isAuthFailure: isRefusal,
  });
  return { run: () => pool.use(work), close: () => pool.close() };
}

await serve(settings, credential, begin);
