/**
 * The three ways in which a service notices a new version, for the harness's own services: as in `examples/services`,
 * where each of them is a program of its own.
 */
import { rmSync, writeFileSync } from "node:fs";
import type { ServiceSettings } from "../../../examples/services/settings.js";
import { type CredentialWatch, watch } from "../../../kit/index.js";

/** `poll` looks every so often, `sighup` when it is told to, `pool` does both and keeps what it opened. */
export type Style = "poll" | "sighup" | "pool";

/** Its style, as it is told by `STYLE`. Throws for any other. */
export function styleOf(env: NodeJS.ProcessEnv): Style {
  const { STYLE: style } = env;
  if (style === "poll" || style === "sighup" || style === "pool") return style;
  throw new Error(`STYLE is ${style}; expected poll, sighup or pool`);
}

/** Watches the credential in that style. */
export async function watchAs(style: Style, settings: ServiceSettings): Promise<CredentialWatch> {
  const { load, pollMs, file, pidFile } = settings;
  if (style === "poll") return watch({ load, intervalMs: pollMs });
  if (style === "pool") return watch({ load, intervalMs: pollMs, ...(file === undefined ? {} : { file }) });
  const credential = await watch({ load, intervalMs: 0, signals: ["SIGHUP"] });
  if (pidFile !== undefined) {
    writeFileSync(pidFile, `${process.pid}\n`);
    process.on("exit", () => rmSync(pidFile, { force: true }));
  }
  return credential;
}

/** A service was refused by whoever it works with; in an answer to a customer its code says so. */
export class Refused extends Error {
  readonly code = "REFUSED";
}

/** True for that, and for nothing else. */
export function isRefusal(error: unknown): boolean {
  return error instanceof Refused;
}
