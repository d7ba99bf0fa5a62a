/**
 * A real RabbitMQ for tests, with its management API, so that what looks at its connections is tried against the program that it
 * is for. It has a port mapper of its own: one that Erlang starts by itself would stay behind.
 */
import { randomBytes } from "node:crypto";
import { mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { RekeyError } from "../../domain/errors.js";
import { Secret } from "../../domain/secret.js";
import { startChild } from "./child.js";
import { onPath } from "./path.js";
import { accepts, freePort } from "./ports.js";
import { systemProgram } from "./system-packages.js";

/** A RabbitMQ that runs. */
export interface RabbitmqServer {
  readonly host: string;
  /** Of AMQP. */
  readonly port: number;
  /** Base URL of the management API. */
  readonly api: string;
  /** Password of the user `admin`, who may do everything. */
  readonly password: Secret;
  /** Ends it and removes what it kept. */
  stop(): Promise<void>;
}

const readyMsMax = 120_000;
const host = "127.0.0.1";

/**
 * Starts a server on free ports of 127.0.0.1; `config`: more lines of its configuration. Throws `missing-setup` when there is no
 * program or it is not ready.
 */
export async function startRabbitmq({
  config = [],
}: {
  readonly config?: readonly string[];
} = {}): Promise<RabbitmqServer> {
  const wrapper = await systemProgram("rabbitmq-server");
  // The program on PATH of Debian would become another user; the one behind it does not.
  const program = join(
    dirname(await realpath("/usr/lib/rabbitmq/bin/rabbitmq-server").catch(() => wrapper)),
    "rabbitmq-server",
  );
  const epmd = await onPath("epmd", process.env);
  if (epmd === undefined) throw new RekeyError("missing-setup", "Erlang's program epmd is not on PATH");
  const folder = await mkdtemp(join(tmpdir(), "rekey-rabbitmq-"));
  const password = new Secret(randomBytes(24).toString("hex"));
  const [port, apiPort, mapperPort, distPort] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ];
  const settings = [
    `listeners.tcp.default = ${host}:${port}`,
    `management.tcp.ip = ${host}`,
    `management.tcp.port = ${apiPort}`,
    "default_user = admin",
    `default_pass = ${password.reveal()}`,
    "loopback_users = none",
    // How often the API looks anew follows from the finest of these, in seconds.
    "management.sample_retention_policies.basic.minute = 1",
    "management.sample_retention_policies.detailed.minute = 1",
    "management.sample_retention_policies.global.minute = 1",
    ...config,
  ];
  await writeFile(join(folder, "rabbitmq.conf"), `${settings.join("\n")}\n`, { mode: 0o600 });
  await writeFile(join(folder, "plugins"), "[rabbitmq_management].\n");
  const env = {
    HOME: folder,
    ERL_EPMD_PORT: String(mapperPort),
    ERL_EPMD_ADDRESS: host,
    RABBITMQ_NODENAME: `rekey${port}@localhost`,
    RABBITMQ_DIST_PORT: String(distPort),
    RABBITMQ_CONFIG_FILE: join(folder, "rabbitmq.conf"),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, "plugins"),
    RABBITMQ_MNESIA_BASE: join(folder, "data"),
    RABBITMQ_LOG_BASE: join(folder, "logs"),
    RABBITMQ_LOGS: "-",
    RABBITMQ_CONF_ENV_FILE: join(folder, "none"),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: `-kernel inet_dist_use_interface {127,0,0,1}`,
  };
  const mapper = await startChild({
    name: "the port mapper of the development RabbitMQ",
    command: epmd,
    args: ["-port", String(mapperPort), "-address", host],
    ready: () => accepts(mapperPort),
    readyMsMax,
    stopSignal: "SIGTERM",
  });
  const child = await startChild({
    name: "the development RabbitMQ",
    command: program,
    args: [],
    env,
    cwd: folder,
    ready: async () => (await accepts(port)) && (await accepts(apiPort)),
    readyMsMax,
    stopSignal: "SIGTERM",
    redact: [password],
    removeAfter: folder,
  }).catch(async (error: unknown) => {
    await mapper.stop();
    await rm(folder, { recursive: true, force: true });
    throw error;
  });
  return {
    host,
    port,
    api: `http://${host}:${apiPort}`,
    password,
    stop: async () => {
      await child.stop();
      await mapper.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
