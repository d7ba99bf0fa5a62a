/**
 * moto's server: AWS as far as the kinds of AWS need it, so that they are tried against something that answers, keeps
 * state and refuses. It is a Python program and installed by pip, pinned with all that it needs.
 */

import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startChild } from "./child.js";
import { projectRoot } from "./places.js";
import { freePort } from "./ports.js";
import type { Progress } from "./progress.js";
import { pythonTools } from "./python.js";

/** A moto server that runs. It keeps everything in memory. */
export interface MotoServer {
  /** Base URL of every service, e.g. `http://127.0.0.1:41234`. */
  readonly address: string;
  stop(): Promise<void>;
}

const readyMsMax = 60_000;

/** The folder with moto's programs, made by pip when it is first asked for. Throws `missing-setup`. */
async function motoTools(progress?: Progress): Promise<string> {
  const list = await readFile(join(projectRoot(), "tools", "moto", "requirements.txt"), "utf8");
  // One requirement a line, its hashes behind it: pip takes no file but one of those.
  const requirements = list
    .replace(/\s*\\\n\s*/g, " ")
    .split("\n")
    .filter((line) => line.trim() !== "");
  return pythonTools(requirements, progress === undefined ? {} : { progress });
}

/**
 * One request at a time: with several, a reader can come in between the two halves of what is one step at AWS, and see
 * a label on no version. "authorised": it lets nobody in by a key that is switched off, as AWS does; moto itself would.
 */
const serve = `
import sys
if sys.argv[2] == "authorised":
    from moto.iam import access_control
    believed = access_control.IAMUserAccessKey.__init__
    def refused(self, account_id, partition, access_key_id, headers):
        believed(self, account_id, partition, access_key_id, headers)
        keys = self.backend.list_access_keys(self._owner_user_name)
        if any(key.access_key_id == access_key_id and key.status != "Active" for key in keys):
            raise access_control.CreateAccessKeyFailure(reason="InvalidId")
    access_control.IAMUserAccessKey.__init__ = refused
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple
run_simple("127.0.0.1", int(sys.argv[1]), DomainDispatcherApplication(create_backend_app), threaded=False)
`;

/** Starts moto on a free port of 127.0.0.1. Throws `missing-setup` when it cannot be installed or is not ready. */
export async function startMoto(
  options: { readonly progress?: Progress; readonly authorised?: true } = {},
): Promise<MotoServer> {
  const bin = await motoTools(options.progress);
  const port = await freePort();
  const address = `http://127.0.0.1:${port}`;
  const child = await startChild({
    name: "moto",
    command: join(bin, "python"),
    args: ["-c", serve, String(port), options.authorised ? "authorised" : "open"],
    cwd: tmpdir(),
    ready: () => answers(address),
    readyMsMax,
    stopSignal: "SIGINT",
  });
  return { address, stop: () => child.stop() };
}

async function answers(address: string): Promise<boolean> {
  try {
    const response = await fetch(`${address}/moto-api/data.json`, { signal: AbortSignal.timeout(5_000) });
    await response.arrayBuffer();
    return response.status === 200;
  } catch {
    return false;
  }
}
