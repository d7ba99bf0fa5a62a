/** The kind `vault-audit`: who read which version of what, out of an audit log of Vault or OpenBao. docs/kinds/vault-audit.md is its page for users. */

import type { ScanPart } from "../../domain/discovery/said.js";
import type { Finding } from "../../domain/finding.js";
import type { AdapterDeps, Call, Source, SourceKind } from "../ports.js";
import { differing } from "../shared/source-agree.js";
import { readFiles } from "../shared/source-log-files.js";
import { partsOf, sinkInto } from "../shared/source-log-fill.js";
import { listFiles } from "../shared/source-log-list.js";
import { PartBuilder, type PartLimits, partLimits } from "../shared/source-log-part.js";
import { joiningParts, PartedLineSplitter } from "./vault-audit-parts.js";
import { type VaultAuditConfig, vaultAuditConfig } from "./vault-audit-schema.js";
import { listening, socketCursor } from "./vault-audit-socket.js";
import { auditTally } from "./vault-audit-tally.js";

/** Reads the log's files on from the last scan, or listens for a while where the device sends to a socket. */
export class VaultAuditSource implements Source {
  readonly #config: VaultAuditConfig;
  readonly #deps: AdapterDeps;
  readonly #limits: PartLimits;

  constructor(config: VaultAuditConfig, deps: AdapterDeps, limits: PartLimits = partLimits) {
    this.#config = config;
    this.#deps = deps;
    this.#limits = limits;
  }

  async preflight(): Promise<Finding[]> {
    const { from } = this.#config;
    if (from.method === "socket") {
      return [
        {
          code: "vault-audit-window",
          severity: "warn",
          sentence:
            "Only what the audit device sends while a scan listens is seen, so nothing seen means little.",
          hint: "Read the files of a file device, or have a collector listen all the time and write files.",
        },
      ];
    }
    const { files, missing } = await listFiles(from.paths);
    const absent = missing.map(
      (path): Finding => ({
        code: "vault-audit-no-file",
        severity: "warn",
        sentence: `No file is there by the name ${path}.`,
      }),
    );
    return files.length === 0 && absent.length === 0
      ? [{ code: "vault-audit-no-file", severity: "warn", sentence: "The folders hold no file." }]
      : absent;
  }

  scan(cursor: string | null, call: Call): AsyncIterable<ScanPart> {
    const { from } = this.#config;
    return from.method === "files" ? this.#files(from, cursor, call) : this.#socket(from, cursor, call);
  }

  async close(): Promise<void> {}

  async *#files(
    { paths, mayBeSilent = [] }: Extract<VaultAuditConfig["from"], { method: "files" }>,
    cursor: string | null,
    call: Call,
  ): AsyncGenerator<ScanPart> {
    // Each node writes a log of its own, and each path names one.
    const logs = new Set(paths).size === 1 ? [] : paths.filter((path) => !mayBeSilent.includes(path));
    const [part, record] = this.#part(logs);
    let lines = new PartedLineSplitter();
    const splitter = () => {
      lines = new PartedLineSplitter();
      return lines;
    };
    const reading = { paths, logs, splitter, documents: false, isWhole: isJson, now: this.#deps.now() };
    const filled = sinkInto(
      part,
      joiningParts(() => lines, part, record),
    );
    const begin = (path: string, named: readonly string[]) => {
      filled.begin(path, named);
      part.reading(named);
    };
    const sink = { ...filled, begin };
    yield* partsOf(part, readFiles(reading, cursor, sink, call));
  }

  async *#socket(
    from: Extract<VaultAuditConfig["from"], { method: "socket" }>,
    cursor: string | null,
    call: Call,
  ): AsyncGenerator<ScanPart> {
    const [part, record] = this.#part();
    const { now } = this.#deps;
    for await (const { until } of listening(from, cursor, { part, record, now }, call)) {
      if (until !== undefined || part.full) yield part.take(socketCursor(until ?? now()));
    }
  }

  #part(logs: readonly string[] = []) {
    const config = this.#config;
    const part = new PartBuilder(`audit log of ${config.store}`, this.#deps.now(), this.#limits, logs);
    return [part, auditTally(config, part, this.#deps.mark)] as const;
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Reads are edges `uses` from whoever the log shows to the place in the store that the settings name. */
export const vaultAudit: SourceKind<typeof vaultAuditConfig> = {
  shows: "log",
  sees: "use",
  config: vaultAuditConfig,
  create: (config, deps) => new VaultAuditSource(config, deps),
  contradicts: (config, { store }) =>
    differing(config, store, { field: "store", kind: "vault", same: ["mount", "namespace"] }),
};
