/**
 * Where the device writes to standard output, whatever runs the container wraps each line: Docker's driver `json-file` in an object,
 * the runtimes of Kubernetes (CRI) in a prefix. The line of the device is within; what the server itself says is beside it.
 */
import { inside, textIn } from "../shared/source-log-part.js";

/** A record, why there is none, or null for a line that is of no audit device. */
export type Unwrapped = { readonly record: unknown } | { readonly why: string } | null;

/** As in `2026-01-02T03:04:05.6Z stdout F {...}`; `P` where the line goes on in the next. */
export const cri = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T\S{1,40} (stdout|stderr) ([FP])\S{0,40} /;

/** The record of one line, out of whatever it is wrapped in. A server's messages go to standard error, where no device writes. */
export function unwrapped(text: string): Unwrapped {
  const [prefix = "", stream, tag] = cri.exec(text) ?? [];
  if (stream === "stderr") return null;
  if (tag === "P") return { why: "is a part of a line that the container's runtime has cut" };
  const record = parsed(text.slice(prefix.length));
  const within = textIn(record, "log");
  if (within === undefined || inside(record, "stream") === undefined) return whole(record);
  if (inside(record, "stream") === "stderr") return null;
  if (within.trim() === "") return null;
  return within.endsWith("\n") ? whole(parsed(within)) : { why: "is a part of a line that Docker has cut" };
}

function whole(record: unknown): Unwrapped {
  if (record === undefined) return { why: "is not JSON" };
  const type = inside(record, "type");
  const request = inside(record, "request");
  const isRecord =
    (type === "request" || type === "response") && typeof request === "object" && request !== null;
  return isRecord ? { record } : { why: "is no record of an audit log: no request or response" };
}

/** Undefined for what is no JSON. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
