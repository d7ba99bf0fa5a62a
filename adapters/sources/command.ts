/**
 * A source that only its user knows: a program of theirs prints what it saw, a line of JSON each. It is run again as long as
 * it says that there is more, and is given back the cursor that it gave last.
 */
import { z } from "zod";
import { RekeyError } from "../../domain/errors.js";
import { duration } from "../../domain/estate/duration.js";
import type { AdapterDeps, Call, Source, SourceKind } from "../ports.js";
import { isProgram, type Program, programFields, programName, runProgram } from "../shared/program.js";
import { retryRead } from "../shared/retry.js";
import { partOf, type Said } from "../shared/source-part.js";
import { lineRead, type Next } from "./command-lines.js";

const config = z.strictObject({
  ...programFields,
  timeout: duration({ positive: true }).prefault("30s").describe("For one run of the program."),
});

type Config = z.output<typeof config>;

const protocol = "rekey-source/1";

/** A program that always has more would never let a scan end. */
const runsMax = 10_000;

/** A program of the user's own that says what it saw; docs/kinds/command-source.md says how. */
export const commandSource: SourceKind<typeof config> = {
  // A program may go on from its cursor and say only what is new, so nothing ends because it is not said again.
  shows: "log",
  sees: "configuration",
  config,
  create: (settings, deps) => createCommand(settings, deps),
};

function createCommand(settings: Config, deps: AdapterDeps): Source {
  const program: Program = { ...settings, timeoutMs: settings.timeout };
  const name = programName(program);
  const policy = { attempts: 2, attemptTimeoutMs: settings.timeout + 5_000, pauseMs: 100, pauseMsMax: 1_000 };
  return {
    async preflight() {
      if (await isProgram(program)) return [];
      return [
        {
          code: "source-program-missing",
          severity: "refuse",
          subject: name,
          sentence: `${name} is not there, or may not be started.`,
        },
      ];
    },
    async *scan(cursor: string | null, call: Call) {
      let at = cursor;
      for (let run = 1; run <= runsMax; run++) {
        const input = { protocol, installation: deps.installation, cursor: at };
        const output = await retryRead(call, name, (frame) => runProgram(program, input, frame), policy);
        const { said, next } = readOutput(output, name, deps);
        if (next === null) {
          throw new RekeyError(
            "proof-failed",
            `${name} did not end with a cursor, so what it said may not be whole.`,
          );
        }
        if (said.length > 0 || next.cursor !== at) yield partOf(said, coveredBy(said), next.cursor);
        if (!next.more) return;
        if (next.cursor === at) {
          throw new RekeyError("proof-failed", `${name} says that there is more and does not go on.`);
        }
        at = next.cursor;
      }
      throw new RekeyError("proof-failed", `${name} had more after ${runsMax} runs.`);
    },
    close: async () => {},
  };
}

/** Lines of one run. The cursor has to be the last of them: an output that was cut off has none. */
function readOutput(
  output: string,
  name: string,
  deps: AdapterDeps,
): { readonly said: Said[]; readonly next: Next | null } {
  const said: Said[] = [];
  let next: Next | null = null;
  for (const [index, content] of output.split("\n").entries()) {
    if (content.trim() === "") continue;
    const where = `${name}, line ${index + 1} of what it printed`;
    if (next !== null) {
      throw new RekeyError("proof-failed", `${name} printed something behind its cursor.`);
    }
    const read = lineRead(content, deps.mark);
    if ("next" in read) next = read.next;
    else if ("said" in read) said.push(read.said);
    else said.push({ malformed: [{ where, why: read.why }] });
  }
  return { said, next };
}

function coveredBy(said: readonly Said[]): { from: number; until: number } | null {
  const seen = said.flatMap(({ claims = [], copies = [], listed = [], uses = [] }) => [
    ...claims,
    ...copies,
    ...listed,
    ...uses,
  ]);
  if (seen.length === 0) return null;
  return {
    from: seen.reduce((least, { seen: { first } }) => Math.min(least, first), Number.POSITIVE_INFINITY),
    until: seen.reduce((most, { seen: { last } }) => Math.max(most, last), 0),
  };
}
