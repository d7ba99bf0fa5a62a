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
 * a label on no version. A request is read to its end first, so that a slow one holds nobody up. "authorised": it lets
 * nobody in by a key that is switched off, as AWS does; moto itself would. One region's STS may know of that later.
 */
const serve = `
import io, sys, threading, time
port, mode, behind, behind_ms = sys.argv[1:]
if mode == "authorised":
    from moto.iam import access_control
    from moto.iam.models import IAMBackend
    became = {}
    def noting(name):
        change = getattr(IAMBackend, name)
        def noted(self, *args, **more):
            key = change(self, *args, **more)
            became.setdefault(key.access_key_id, []).append((time.monotonic(), key.status == "Active"))
            return key
        setattr(IAMBackend, name, noted)
    noting("create_access_key")
    noting("update_access_key")
    def active(key_id, region, service):
        at = time.monotonic() - (int(behind_ms) / 1000 if (region, service) == (behind, "sts") else 0)
        known = [on for when, on in became.get(key_id, []) if when <= at]
        return len(known) > 0 and known[-1]
    believed = access_control.IAMUserAccessKey.__init__
    def refused(self, account_id, partition, access_key_id, headers):
        believed(self, account_id, partition, access_key_id, headers)
        region, service = headers["Authorization"].split("Credential=")[1].split(",")[0].split("/")[2:4]
        if not active(access_key_id, region, service):
            raise access_control.CreateAccessKeyFailure(reason="InvalidId")
    access_control.IAMUserAccessKey.__init__ = refused
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple
application = DomainDispatcherApplication(create_backend_app)
turn = threading.Lock()
def one_by_one(environ, start_response):
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    with turn:
        return list(application(environ, start_response))
run_simple("127.0.0.1", int(port), one_by_one, threaded=True)
`;

/** How moto is to be. */
export interface MotoOptions {
  readonly progress?: Progress;
  /** Keys, signatures and rights are looked at. */
  readonly authorised?: true;
  /** The STS of this region knows what became of a key so much later; only where keys are looked at. */
  readonly behind?: { readonly region: string; readonly ms: number };
  /** Keeps everything that it prints in this file. */
  readonly logFile?: string | undefined;
}

/** Starts moto on a free port of 127.0.0.1. Throws `missing-setup` when it cannot be installed or is not ready. */
export async function startMoto(options: MotoOptions = {}): Promise<MotoServer> {
  const { progress, authorised, behind, logFile } = options;
  const bin = await motoTools(progress);
  const port = await freePort();
  const address = `http://127.0.0.1:${port}`;
  const mode = authorised ? "authorised" : "open";
  const child = await startChild({
    name: "moto",
    command: join(bin, "python"),
    args: ["-c", serve, String(port), mode, behind?.region ?? "", String(behind?.ms ?? 0)],
    cwd: tmpdir(),
    ready: () => answers(address),
    readyMsMax,
    stopSignal: "SIGINT",
    logFile,
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
