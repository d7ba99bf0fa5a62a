/**
 * Puts the seam between a worker and everything outside it. Methods are found on the adapters as they are made,
 * by name and at run time, so that a new method of a port is under test without anybody having to say so.
 */
import type { AdapterDeps, Call, FencedChange, SecretDocument } from "../../../adapters/ports.js";
import type { Kinds } from "../../../adapters/registry.js";
import { Secret } from "../../../domain/secret.js";
import type { Activities, Between } from "../../../worker/worker.js";
import { seamedDatabase } from "./database.js";
import { kindOfCall } from "./points.js";
import { asExecution, asReading, type Seam } from "./seam.js";
import type { SeenValue } from "./witness.js";

const lateDeadlineMs = 20_000;

/** What a worker under test is started with. */
export function between(seam: Seam): Between {
  return {
    kinds: (given) => seamedKinds(seam, given),
    database: (given) => seamedDatabase(seam, given),
    adapterDeps: (given) => seamedDeps(seam, given),
    activities: (given) => seamedActivities(seam, given),
  };
}

type Port = "issuer" | "store" | "consumer" | "source" | "notifier";

function seamedKinds(seam: Seam, { issuers, stores, consumers, sources, notifiers }: Kinds): Kinds {
  const each = <K extends { create: (...args: never[]) => object }>(
    port: Port,
    section: Readonly<Record<string, K>>,
  ): Record<string, K> =>
    Object.fromEntries(
      Object.entries(section).map(([name, kind]) => [
        name,
        { ...kind, create: (...args: never[]) => seamedAdapter(seam, port, kind.create(...args)) },
      ]),
    );
  return {
    issuers: each("issuer", issuers),
    stores: each("store", stores),
    consumers: each("consumer", consumers),
    sources: each("source", sources),
    notifiers: each("notifier", notifiers),
  };
}

/** Every method that is given a call's frame goes outside, and through the seam. */
function seamedAdapter<T extends object>(seam: Seam, port: Port, adapter: T): T {
  return new Proxy(adapter, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function" || typeof name !== "string") return value;
      return (...args: unknown[]): unknown => {
        const send = (given: readonly unknown[]): unknown => value.apply(target, given);
        if (!args.some(isCall)) return send(args);
        witnessValues(seam, name, args);
        const call = `${port}.${name}`;
        const kept = args.map(lasting);
        const version = args.find(isFenced)?.tag.version;
        if (call === streamed) return seamedStream(seam, () => send(args) as AsyncIterable<unknown>);
        return seam.pass({
          call,
          kind: kindOfCall(call),
          ...(version === undefined ? {} : { version }),
          make: async () => send(args),
          again: async () => send(kept.map((arg) => (isCall(arg) ? laterCall() : lasting(arg)))),
        });
      };
    },
  });
}

/** The call of the ports that answers piece by piece: every piece goes outside anew, and through the seam. */
const streamed = "source.scan";

async function* seamedStream(seam: Seam, begin: () => AsyncIterable<unknown>): AsyncGenerator<unknown> {
  const pieces = begin()[Symbol.asyncIterator]();
  try {
    for (;;) {
      const make = () => pieces.next();
      const piece = await seam.pass({ call: streamed, kind: kindOfCall(streamed), make, again: make });
      if (piece.done === true) return;
      yield piece.value;
    }
  } finally {
    await pieces.return?.();
  }
}

/** What is sent later still bears its values, which are cleared with the activity that had them. */
function lasting(arg: unknown): unknown {
  if (typeof arg !== "object" || arg === null) return arg;
  const fields = Object.entries(arg);
  if (fields.length === 0 || !fields.every(([, value]) => value instanceof Secret)) return arg;
  return Object.fromEntries(fields.map(([name, value]) => [name, (value as Secret).copy()]));
}

function isCall(value: unknown): value is Call {
  return (
    typeof value === "object" && value !== null && (value as Partial<Call>).signal instanceof AbortSignal
  );
}

function isFenced(value: unknown): value is FencedChange {
  return typeof value === "object" && value !== null && "tag" in value && "expect" in value;
}

function laterCall(): Call {
  return { signal: AbortSignal.timeout(lateDeadlineMs) };
}

function isKeeping(method: string): method is SeenValue["by"] {
  return method === "enable" || method === "stage" || method === "restage";
}

/** Notes the values that are about to be made valid or kept; the oracle tries every one of them. */
function witnessValues(seam: Seam, method: string, args: readonly unknown[]): void {
  if (!isKeeping(method)) return;
  const document = args[1] as SecretDocument;
  const fields = Object.entries(document).map(([name, value]) => [name, value.reveal()]);
  const version = method === "enable" ? (args[0] as FencedChange).tag.version : (args[0] as string);
  seam.witness.value({ by: method, version, fields: Object.fromEntries(fields) });
}

function seamedDeps(seam: Seam, deps: AdapterDeps): AdapterDeps {
  const resolve = (reference: string, call: Call): Promise<Secret> =>
    seam.pass({
      call: "engine.resolve",
      kind: "ask",
      make: () => deps.resolve(reference, call),
      again: () => deps.resolve(reference, laterCall()),
    });
  return { ...deps, resolve };
}

/** An activity as Temporal sees it: it may be run twice, and its answer may be lost. */
function seamedActivities(seam: Seam, activities: Activities): Activities {
  const wrapped = Object.entries(activities).map(([name, activity]) => {
    const run = activity as (...args: unknown[]) => Promise<unknown>;
    const execution = (args: unknown[]) => () => asExecution(() => run(...args));
    const pass = (args: unknown[]) =>
      seam.pass({ call: "activity.run", kind: "activity", make: execution(args), again: execution(args) });
    return [
      name,
      (...args: unknown[]) => {
        const source = sourceIn(args);
        return source === null ? pass(args) : asReading(source, () => pass(args));
      },
    ];
  });
  return Object.fromEntries(wrapped) as Activities;
}

/** Name of the source that an activity is to read. */
function sourceIn([request]: readonly unknown[]): string | null {
  const { source } = (request ?? {}) as { readonly source?: unknown };
  return typeof source === "string" ? source : null;
}
