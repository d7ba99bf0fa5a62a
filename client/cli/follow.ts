/**
 * Watching a rotation to its end: redrawn in place on a terminal, line by line elsewhere. Ctrl-C ends the
 * watching and never the rotation.
 */
import { setTimeout } from "node:timers/promises";
import { shown } from "../../domain/decide.js";
import { exitCodes, RekeyError } from "../../domain/errors.js";
import type { Cli } from "./cli.js";
import type { Services } from "./deps.js";
import { Detached } from "./failure.js";
import { clipped } from "./format/layout.js";
import { outcomeWord, rotationText, standingText, timelineLine, withVersions } from "./format/rotation.js";
import { type Look, lookAt } from "./look.js";
import type { Subject } from "./subject.js";

/** How a rotation is watched. */
export interface FollowOptions {
  readonly everyMs: number;
  /** `live` shows everything, `quiet` waits. */
  readonly show: "live" | "quiet";
  /** End with 4 when an operator is needed, because nobody here will give the order. */
  readonly stopAtOperator: boolean;
  /** An earlier rotation that is not meant. */
  readonly ignore?: string | undefined;
}

/** How many looks in a row may find the workflow gone: it takes a moment until its end is in the records. */
const goneMax = 5;
/** How often in a row the records may be out of reach before watching is given up. */
const failuresMax = 10;

/** Watches until the rotation ends; answers with its exit code. Throws `Detached` at Ctrl-C. */
export async function follow(
  cli: Cli,
  services: Services,
  subject: Subject,
  options: FollowOptions,
): Promise<number> {
  const detached = new AbortController();
  const restore = cli.io.onInterrupt(() => detached.abort());
  const screen = screenFor(cli, subject, options);
  try {
    for (let failures = 0, gone = 0; !detached.signal.aborted; ) {
      if (cli.io.stdout.writable === false) break;
      const look = await looked(cli, services, subject, options).catch((failure: unknown) => {
        failures += 1;
        if (failures >= failuresMax || !mayPass(failure)) throw failure;
        return null;
      });
      if (look !== null) {
        failures = 0;
        screen.draw(look);
        const code = endOf(look, options.stopAtOperator);
        if (code !== null) return code;
        gone = look.workflow === "gone" ? gone + 1 : 0;
        if (options.stopAtOperator && gone >= goneMax) throw lost(subject.name);
      }
      await setTimeout(options.everyMs, undefined, { signal: detached.signal }).catch(() => undefined);
    }
    throw new Detached(`rekey watch ${subject.name}`);
  } finally {
    screen.end();
    restore();
  }
}

async function looked(
  cli: Cli,
  services: Services,
  { id }: Subject,
  { ignore }: FollowOptions,
): Promise<Look | null> {
  await services.clock.agree();
  return lookAt(services, id, cli.now(), ignore);
}

function lost(name: string): RekeyError {
  return new RekeyError(
    "unreachable",
    `The rotation of ${name} is open, and its workflow has ended.`,
    `\`rekey adopt-rotation ${name}\` takes it up again where it is.`,
  );
}

function mayPass(failure: unknown): boolean {
  return failure instanceof RekeyError && failure.retry === "safe";
}

function endOf({ state, now }: Look, stopAtOperator: boolean): number | null {
  switch (state.closed) {
    case "rotated":
      return exitCodes.done;
    case "went-back":
      return exitCodes.failed;
    case "refused":
      return exitCodes.refused;
    case null:
      return stopAtOperator && shown(state, now).kind === "needs-operator" ? exitCodes.operator : null;
  }
}

/** Where looks are drawn. */
interface Screen {
  draw(look: Look): void;
  end(): void;
}

function screenFor(cli: Cli, subject: Subject, { show }: FollowOptions): Screen {
  if (show === "quiet") return { draw: () => undefined, end: () => undefined };
  if (cli.json) return lines(cli, subject, true);
  return cli.io.stdout.isTTY === true ? redrawn(cli, subject) : lines(cli, subject, false);
}

/** The whole picture, drawn over the one before. */
function redrawn({ io, paint }: Cli, subject: Subject): Screen {
  let height = 0;
  return {
    draw(look) {
      const picture = rotationText({ look, credential: subject.name, names: subject.names, paint }, 12);
      const columns = io.stdout.columns ?? 80;
      const rows = picture.split("\n").map((line) => clipped(line, columns));
      io.stdout.write(`${height > 0 ? `\x1b[${height}A\x1b[0J` : ""}${rows.join("\n")}\n`);
      height = rows.length;
    },
    end: () => undefined,
  };
}

/** Each new line of the timeline, and what is waited for whenever that changes; with `json`, an object a line. */
function lines({ io, paint }: Cli, subject: Subject, json: boolean): Screen {
  const told = new Set<string>();
  let standing = "";
  const print = (object: object, text: string) =>
    io.stdout.write(`${json ? JSON.stringify(object) : text}\n`);
  return {
    draw({ state, timeline, now }) {
      const names = withVersions(subject.names, state);
      for (const entry of timeline) {
        const mark = `${entry.at} ${entry.sentence}`;
        if (told.has(mark)) continue;
        told.add(mark);
        print({ ...entry, sentence: names.in(entry.sentence) }, timelineLine(entry, names, paint));
      }
      const decision = shown(state, now);
      const text = standingText(decision, names, paint);
      const mark = decision.kind === "wait" ? decision.for : decision.kind;
      if (mark !== standing && decision.kind !== "do") {
        const outcome =
          state.closed === null ? {} : { outcome: state.closed, sentence: outcomeWord(state.closed) };
        print({ at: now, standing: decision.kind, ...decision, ...outcome }, text);
      }
      standing = mark;
    },
    end: () => undefined,
  };
}
