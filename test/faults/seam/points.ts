/**
 * Where a fault can be put and what kind of fault makes sense there. A point is named by what the engine was
 * doing and by the call that it made, so that a name means the same in every run and says what it is.
 */

/** What a call does to the world: that decides which faults are worth trying at it. */
export type CallKind = "change" | "ask" | "record" | "read" | "activity";

/** On which side of the call the fault lies. */
export type When = "before" | "after";

/** What goes wrong. See `seam.ts` for what each of them does on either side. */
export type Fault = "kill" | "error" | "timeout" | "late" | "duplicate";

/** What happens outside of the worker when it reaches a point; see `house/outages.ts`. */
export const outages = [
  "issuer-stopped",
  "issuer-hung",
  "issuer-gone",
  "issuer-slow",
  "issuer-blind",
  "issuer-readonly",
  "issuer-full",
  "issuer-restored",
  "standby-stopped",
  "standby-hung",
  "standby-slow",
  "standby-lagging",
  "pooler-stopped",
  "pooler-hung",
  "pooler-slow",
  "store-stopped",
  "store-hung",
  "store-gone",
  "store-slow",
  "store-readonly",
  "store-sealed",
  "store-restored",
  "store-written",
  "source-unmounted",
  "inventory-stopped",
  "inventory-hung",
  "inventory-gone",
  "inventory-slow",
  "inventory-readonly",
  "inventory-full",
  "inventory-restored",
  "audit-stopped",
  "audit-hung",
  "audit-gone",
  "audit-slow",
  "audit-readonly",
  "audit-full",
  "audit-restored",
  "temporal-stopped",
  "temporal-hung",
  "temporal-gone",
  "temporal-slow",
  "temporal-recreated",
  "worker-frozen",
  "clock-fast",
  "clock-slow",
  "workflow-terminated",
  "workflow-reset",
] as const;
/** One of them. */
export type Outage = (typeof outages)[number];

/** True for what the harness has to do from outside. */
export function isOutage(fault: string): fault is Outage {
  return outages.some((outage) => outage === fault);
}

/**
 * One place: `activity` is the engine's activity, `call` is `port.method` (`issuer.enable`), `inventory.function`
 * or `activity.run`, and `nth` counts the calls of that name in activities of that name since the case began.
 */
export interface Point {
  readonly activity: string;
  readonly call: string;
  readonly nth: number;
}

/** A fault at a point. */
export interface Planted extends Point {
  readonly when: When;
  readonly fault: Fault | Outage;
}

/** Methods of the ports that only look. Whatever is not named here is taken for a change, and tried hardest. */
export const asking: ReadonlySet<string> = new Set([
  "issuer.preflight",
  "issuer.survey",
  "issuer.slots",
  "issuer.prove",
  "issuer.proveRefused",
  "store.preflight",
  "store.view",
  "store.live",
  "store.staged",
  "store.stagedVersions",
  "consumer.preflight",
  "consumer.observe",
  "notifier.preflight",
  "source.preflight",
  "source.scan",
  "engine.resolve",
]);

/** What a call of this name on a port does. */
export function kindOfCall(call: string): CallKind {
  return asking.has(call) ? "ask" : "change";
}

type Way = `${When}-${Fault}`;

/**
 * A look cannot be made twice or late to any effect. A record cannot be delivered twice, because its transaction
 * is one; that an activity is run twice stands for it. An activity that never answers is what a kill is.
 */
const ways: Readonly<Record<CallKind, readonly Way[]>> = {
  change: [
    "before-kill",
    "after-kill",
    "before-error",
    "after-error",
    "before-timeout",
    "after-timeout",
    "before-late",
    "after-late",
    "before-duplicate",
    "after-duplicate",
  ],
  ask: ["before-kill", "before-error", "after-error", "before-timeout"],
  record: [
    "before-kill",
    "after-kill",
    "before-error",
    "after-error",
    "before-timeout",
    "after-timeout",
    "before-late",
  ],
  read: ["before-kill", "before-error", "before-timeout"],
  activity: [
    "before-kill",
    "after-kill",
    "before-error",
    "after-error",
    "before-duplicate",
    "after-duplicate",
  ],
};

/** Every fault that makes sense at a point. */
export function faultsAt(point: Point, kind: CallKind): Planted[] {
  return ways[kind].map((way) => {
    const [when, fault] = way.split("-") as [When, Fault];
    return { ...point, when, fault };
  });
}

/** `issue.issuer.enable.1`. */
export function pointName({ activity, call, nth }: Point): string {
  return `${activity}.${call}.${nth}`;
}

/** `issue.issuer.enable.1/after-kill`. */
export function plantedName(planted: Planted): string {
  return `${pointName(planted)}/${planted.when}-${planted.fault}`;
}

const shape = /^(\w+)\.(\w+\.\w+)\.(\d+)\/(before|after)-([a-z-]+)$/;
const faults: readonly Fault[] = ["kill", "error", "timeout", "late", "duplicate"];

/** Reads what `plantedName` wrote. Throws for anything else. */
export function readPlanted(text: string): Planted {
  const match = shape.exec(text);
  const [, activity = "", call = "", nth = "", when = "", name = ""] = match ?? [];
  const fault = isOutage(name) ? name : faults.find((one) => one === name);
  if (fault === undefined) {
    throw new Error(`${text} names no fault; expected a text such as issue.issuer.enable.1/after-kill`);
  }
  return { activity, call, nth: Number(nth), when: when as When, fault };
}

/** Every outage at a point, of those that the world can have. */
export function outagesAt(point: Point, possible: (outage: Outage) => boolean): Planted[] {
  return outages.filter(possible).map((fault) => ({ ...point, when: "before", fault }));
}
