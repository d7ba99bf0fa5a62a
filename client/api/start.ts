/** Puts the API together: the services that it answers from, who may read, the limits, and the address it listens at. */
import { getConnInfo } from "@hono/node-server/conninfo";
import type { Secret } from "../../domain/secret.js";
import type { Services } from "../cli/deps.js";
import { apiOf } from "./app.js";
import type { CodecDoor } from "./codec.js";
import { rateLimit } from "./limit.js";
import { type ReadyTimes, readinessOf } from "./ready.js";
import type { ScrapeTimes } from "./scraped.js";
import { type ListenOptions, listenApi, type RunningApi } from "./serve.js";
import { tokensFrom } from "./tokens.js";

/** What the API is started with. */
export interface ApiOptions {
  readonly services: Pick<Services, "installation" | "inventory" | "rotations">;
  /** Tokens, or hashes of some; none means that nobody reads. */
  readonly tokens: readonly Secret[];
  /** Temporal's remote codec: who may ask for it, and from which page. */
  readonly codec?: Pick<CodecDoor, "codec" | "origin"> & { readonly tokens: readonly Secret[] };
  readonly listen: ListenOptions;
  /** For one address, and for one person. */
  readonly decisionsPerMinute: number;
  readonly version: string;
  readonly now: () => number;
  readonly say: (line: string) => void;
  readonly requestMsMax?: number;
  readonly readyTimes?: ReadyTimes;
  readonly scrapes?: ScrapeTimes;
}

const requestMsMax = 30_000;

/** Starts to listen. The services are the caller's to close, after `stop`. */
export async function startApi(options: ApiOptions): Promise<RunningApi> {
  const { services, now, version, say } = options;
  const app = apiOf({
    services,
    tokens: tokensFrom(options.tokens),
    ...(options.codec === undefined
      ? {}
      : { codec: { ...options.codec, tokens: tokensFrom(options.codec.tokens) } }),
    decisions: rateLimit(options.decisionsPerMinute),
    ready: readinessOf(services, now, options.readyTimes),
    scrapes: options.scrapes,
    now,
    version,
    requestMsMax: options.requestMsMax ?? requestMsMax,
    senderOf: (context) => getConnInfo(context).remote.address ?? "unknown",
    say,
  });
  return listenApi(app, options.listen);
}
