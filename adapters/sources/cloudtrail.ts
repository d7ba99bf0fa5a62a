/** The kind `cloudtrail`: who read which secret, and who made and used access keys, out of AWS CloudTrail. docs/kinds/cloudtrail.md is its page for users. */
import type { ScanPart } from "../../domain/discovery/said.js";
import type { Finding } from "../../domain/finding.js";
import type { AdapterDeps, Call, Source, SourceKind } from "../ports.js";
import { differing } from "../shared/source-agree.js";
import { readFiles } from "../shared/source-log-files.js";
import { partsOf, sinkInto } from "../shared/source-log-fill.js";
import { ObjectSplitter } from "../shared/source-log-json.js";
import { listFiles } from "../shared/source-log-list.js";
import { PartBuilder, type PartLimits, partLimits } from "../shared/source-log-part.js";
import { TrailBucket } from "./cloudtrail-s3.js";
import { type CloudtrailConfig, cloudtrailConfig, regionsRead } from "./cloudtrail-schema.js";
import { eventTally } from "./cloudtrail-tally.js";

/** Reads the trail's files, in a folder or in its bucket, on from the last scan. */
export class CloudtrailSource implements Source {
  readonly #config: CloudtrailConfig;
  readonly #deps: AdapterDeps;
  readonly #limits: PartLimits;
  readonly #bucket: TrailBucket | undefined;

  constructor(config: CloudtrailConfig, deps: AdapterDeps, limits: PartLimits = partLimits) {
    this.#config = config;
    this.#deps = deps;
    this.#limits = limits;
    if (config.from.method === "s3") this.#bucket = new TrailBucket(config, config.from, deps);
  }

  async preflight(call: Call): Promise<Finding[]> {
    const { from } = this.#config;
    const found =
      from.method === "files"
        ? (await listFiles(from.paths)).files.length > 0
        : await this.#bucket?.any(call);
    if (found === true) return [];
    return [
      {
        code: "cloudtrail-empty",
        severity: "warn",
        sentence: "No file of the trail is there, so nothing seen means nothing.",
      },
    ];
  }

  async *scan(cursor: string | null, call: Call): AsyncGenerator<ScanPart> {
    const { from, account, mayBeSilent = [] } = this.#config;
    const regions = regionsRead(this.#config);
    const logs = regions.length === 1 ? [] : regions.filter((region) => !mayBeSilent.includes(region));
    const part = new PartBuilder(`CloudTrail of ${account}`, this.#deps.now(), this.#limits, logs);
    const record = eventTally(this.#config, part);
    const sink = sinkInto(part, record);
    const reading = {
      splitter: (mode: string) => new ObjectSplitter("Records", "eventVersion", mode),
      documents: true,
      isWhole: () => false,
      now: this.#deps.now(),
    };
    const pieces =
      from.method === "files"
        ? readFiles({ ...reading, paths: from.paths }, cursor, sink, call)
        : this.#bucket?.read(reading.splitter, cursor, sink, call);
    yield* partsOf(part, pieces ?? []);
  }

  async close(): Promise<void> {
    this.#bucket?.close();
  }
}

/** Reads are edges `uses` to a place of the store; access keys are edges `mints` and `uses` to an account of the issuer. */
export const cloudtrail: SourceKind<typeof cloudtrailConfig> = {
  shows: "log",
  sees: "use",
  // AWS delivers "typically within about 5 minutes" and guarantees nothing; three times that is what Rekey waits unless told otherwise.
  deliveredWithinMs: 15 * 60_000,
  config: cloudtrailConfig,
  create: (config, deps) => new CloudtrailSource(config, deps),
  contradicts: (config, { store, issuer }) => [
    ...differing(config, store, { field: "store", kind: "aws-secrets-manager", same: ["account", "region"] }),
    ...differing(config, issuer, { field: "issuer", kind: "aws-iam", same: ["account"] }),
  ],
};
