/**
 * Trying a key where AWS is asked who somebody is: STS GetCallerIdentity, which needs no right and cannot be denied, so
 * that an answer says who the key is, and a refusal that it is nobody's (H9).
 */
import type { STSClient } from "@aws-sdk/client-sts";
import type { AdapterDeps, Call, NodeProof, SecretDocument } from "../../ports.js";
import { clientOptions, publicEndpoint, Refused, refuseOtherAccount, sendAws } from "../../shared/aws.js";
import { lazily } from "../../shared/lazily.js";
import { retryRead } from "../../shared/retry.js";
import type { IamConfig } from "./config.js";

const sts = lazily<typeof import("@aws-sdk/client-sts")>("@aws-sdk/client-sts");

/**
 * What STS says of a key. `unknown`: switched off, deleted, or not heard of yet, which it does not tell apart. `wrong`:
 * it knows the key, and this is not its secret.
 */
export type Said = { readonly node: string } & (
  | { readonly is: string }
  | { readonly refused: "unknown" | "wrong" }
);

const unknown = ["InvalidClientTokenId", "InvalidClientTokenIdException", "UnrecognizedClientException"];
const wrong = ["SignatureDoesNotMatch", "SignatureDoesNotMatchException", "InvalidSignatureException"];

/** A regional STS endpoint. */
interface Endpoint {
  readonly node: string;
  readonly region: string;
  readonly endpoint: string;
}

/** The regional STS endpoints, asked in the name of a key. */
export class Sts {
  readonly #config: IamConfig;
  readonly #deps: AdapterDeps;
  readonly #nodes: readonly Endpoint[];

  constructor(config: IamConfig, deps: AdapterDeps) {
    this.#config = config;
    this.#deps = deps;
    this.#nodes = (config.sts ?? [{ region: config.region }]).map(({ region, endpoint }) => ({
      node: `sts ${region}`,
      region,
      endpoint: endpoint ?? publicEndpoint("sts", region),
    }));
  }

  /** Names of the endpoints. */
  get nodes(): readonly string[] {
    return this.#nodes.map(({ node }) => node);
  }

  /** Who the engine itself is at every endpoint. Throws `wrong-server` where that is not in the account. */
  async engine(call: Call): Promise<string[]> {
    return Promise.all(
      this.#nodes.map(async (at) => {
        const client = new (sts().STSClient)(
          clientOptions({ ...this.#config, region: at.region }, at.endpoint, this.#deps),
        );
        const arn = await this.#ask(client, at.node, [], call);
        refuseOtherAccount(arn instanceof Refused ? undefined : arn, this.#config, at.node);
        return String(arn);
      }),
    );
  }

  /**
   * Who the document's key is at every endpoint. The engine asks for itself at the same time: where that is refused
   * too, the clock, the endpoint or the network is the reason, and nothing is said of the key.
   */
  async said(document: SecretDocument, call: Call): Promise<Said[]> {
    const [said] = await Promise.all([
      Promise.all(this.#nodes.map((at) => this.#saidAt(at, document, call))),
      this.engine(call),
    ]);
    return said;
  }

  async #saidAt(at: Endpoint, document: SecretDocument, call: Call): Promise<Said> {
    const { region, endpoint, node } = at;
    const credentials = async () => ({
      accessKeyId: document.username?.reveal() ?? "",
      secretAccessKey: document.password?.reveal() ?? "",
    });
    const client = new (sts().STSClient)({
      ...clientOptions({ ...this.#config, region }, endpoint, this.#deps),
      credentials,
    });
    const arn = await this.#ask(client, node, [...unknown, ...wrong], call);
    if (!(arn instanceof Refused)) return { node, is: arn };
    return { node, refused: wrong.includes(arn.code) ? "wrong" : "unknown" };
  }

  async #ask(
    client: STSClient,
    server: string,
    handled: readonly string[],
    call: Call,
  ): Promise<string | Refused> {
    const request = {
      server,
      action: "sts:GetCallerIdentity",
      kind: "read" as const,
      handled,
      timeoutMs: this.#config.timeout,
    };
    try {
      const answer = await retryRead(call, server, (frame) =>
        sendAws(request, frame, (options) => client.send(new (sts().GetCallerIdentityCommand)({}), options)),
      );
      return answer instanceof Refused ? answer : (answer.Arn ?? "");
    } finally {
      client.destroy();
    }
  }
}

/** That each endpoint says the key is the user's. */
export function provedAs(arn: string, said: readonly Said[]): NodeProof[] {
  return said.map((one) => {
    const { node } = one;
    if ("refused" in one) return { node, ok: false, sentence: sentenceOf(one.refused) };
    const ok = one.is === arn;
    return { node, ok, sentence: ok ? `is ${arn}` : `is somebody else than ${arn}` };
  });
}

/**
 * That each endpoint knows no such active key. Where it knows the key and not this secret, the key may well let in
 * whoever has the right one: that says nothing of it (H27).
 */
export function provedRefused(said: readonly Said[]): NodeProof[] {
  return said.map((one) => {
    const { node } = one;
    if (!("refused" in one)) return { node, ok: false, sentence: `is still ${one.is}` };
    const sentence = sentenceOf(one.refused);
    return one.refused === "unknown"
      ? { node, ok: true, sentence }
      : { node, ok: false, sentence: `no proof: ${sentence}` };
  });
}

function sentenceOf(refused: "unknown" | "wrong"): string {
  return refused === "unknown"
    ? "refused: AWS knows no such active key"
    : "refused: not the secret of that key";
}
