/**
 * Temporal's development server, started the one way that is fast enough to work with: its default settings
 * make every step of a workflow wait 100 ms (measured; 12 ms with the settings here).
 */

import { Connection } from "@temporalio/client";
import { type Child, startChild } from "./child.js";
import { freePort } from "./ports.js";

/** What may differ between one development server and another. */
export interface TemporalServerOptions {
  /** The `temporal` program; see `findBinary`. */
  readonly program: string;
  /** Keeps the state over a restart in this SQLite file; without it everything is in memory. */
  readonly dbFile?: string;
  /** Port of the front end; a free one when absent. */
  readonly port?: number;
  /** More namespaces besides `rekey`, with the same search attributes: for several installations on one server. */
  readonly namespaces?: readonly string[];
  /** Keeps everything that the server prints in this file. */
  readonly logFile?: string;
  /** Its settings that differ from the usual ones, by their names. */
  readonly settings?: Readonly<Record<string, number | boolean>>;
}

/** A development server that runs. `stop` ends it; nothing is left running. */
export interface TemporalServer {
  /** `host:port` of the gRPC front end. */
  readonly address: string;
  readonly namespace: string;
  readonly pid: number;
  /** Resolves when it has ended, whoever ended it. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

const namespace = "rekey";
const readyMsMax = 30_000;

/** Names that a search may use; values are phases and flags, never a system or a person. */
export const searchAttributes = { RekeyPhase: "Keyword", RekeyEmergency: "Bool" };

/** Without the first two, one shard's queues are read 20 times a second at most. */
const dynamicConfig = {
  "history.transferProcessorMaxPollRPS": 2000,
  "history.timerProcessorMaxPollRPS": 2000,
  "system.enableActivityEagerExecution": true,
};

/**
 * Starts the server on 127.0.0.1 with the namespace `rekey` and its search attributes, and resolves once the
 * namespace answers. Throws `missing-setup` when it does not within 30 s.
 */
export async function startTemporal(options: TemporalServerOptions): Promise<TemporalServer> {
  const port = options.port ?? (await freePort());
  const address = `127.0.0.1:${port}`;
  const child: Child = await startChild({
    name: "the Temporal development server",
    command: options.program,
    args: commandLine(port, options),
    ready: async (output) => output.includes("Temporal Server:") && (await namespaceAnswers(address)),
    readyMsMax,
    stopSignal: "SIGINT",
    logFile: options.logFile,
  });
  return { address, namespace, pid: child.pid, ended: child.ended, stop: () => child.stop() };
}

function commandLine(
  port: number,
  { dbFile, namespaces = [], settings = {} }: Omit<TemporalServerOptions, "program" | "port">,
): string[] {
  const args = ["server", "start-dev", "--headless", "--ip", "127.0.0.1", "--port", String(port)];
  args.push("--namespace", namespace, "--log-level", "error");
  for (const name of namespaces) args.push("--namespace", name);
  if (dbFile !== undefined) args.push("--db-filename", dbFile);
  for (const [name, type] of Object.entries(searchAttributes))
    args.push("--search-attribute", `${name}=${type}`);
  for (const [name, value] of Object.entries({ ...dynamicConfig, ...settings }))
    args.push("--dynamic-config-value", `${name}=${value}`);
  return args;
}

async function namespaceAnswers(address: string): Promise<boolean> {
  let connection: Connection | undefined;
  try {
    connection = await Connection.connect({ address, connectTimeout: "2s" });
    await connection.workflowService.describeNamespace({ namespace });
    return true;
  } catch {
    return false;
  } finally {
    await connection?.close();
  }
}
