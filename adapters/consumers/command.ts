/**
 * A consumer that only its owner knows how to tell and how to look at: a program of theirs does both, and
 * gets neither a value nor a key to do it with.
 */
import { z } from "zod";
import { RekeyError } from "../../domain/errors.js";
import { duration } from "../../domain/estate/duration.js";
import type { AdapterDeps, Consumer, ConsumerKind, InstanceSeen, ObserveRequest } from "../ports.js";
import { type Program, parseOutput, programFields, programName, runProgram } from "../shared/program.js";
import { retryRead } from "../shared/retry.js";

const config = z.strictObject({
  ...programFields,
  timeout: duration({ positive: true }).prefault("10s").describe("For one run of the program."),
  reports: z
    .boolean()
    .prefault(false)
    .describe("Whether the program also answers the action `preflight`, to say what it needs and lacks."),
});

type Config = z.output<typeof config>;

const protocol = "rekey-consumer/1";

const seen = z.object({
  instances: z
    .array(
      z.object({
        instance: z.string().regex(/^[\x21-\x7e]{1,256}$/),
        version: z.string().max(128).nullable(),
        working: z.boolean(),
      }),
    )
    .max(10_000),
});

const lacks = z.object({ missing: z.array(z.enum(["right", "tool", "setting", "connection"])).max(20) });

/** A program of the user's own that delivers and observes; docs/kinds/command.md says what it is given and what it says. */
export const commandConsumer: ConsumerKind<typeof config> = {
  config,
  create: (settings, deps) => createCommand(settings, deps),
};

function createCommand(settings: Config, deps: AdapterDeps): Consumer {
  const program: Program = { ...settings, timeoutMs: settings.timeout };
  const name = programName(program);
  const { installation } = deps;
  // The program's own deadline is the shorter one; this only bounds how often it is run.
  const policy = { attempts: 2, attemptTimeoutMs: settings.timeout + 5_000, pauseMs: 100, pauseMsMax: 1_000 };

  return {
    async preflight(call) {
      if (!settings.reports) return [];
      const text = await runProgram(program, { protocol, action: "preflight", installation }, call);
      return parseOutput(lacks, text, name).missing.map((what) => ({
        code: `program-lacks-${what}`,
        severity: "refuse",
        sentence: `${name} lacks a ${what} that it needs.`,
      }));
    },

    async deliver(request, call) {
      await retryRead(
        call,
        name,
        (frame) => runProgram(program, { protocol, action: "deliver", installation, ...request }, frame),
        policy,
      );
    },

    async observe(request, call) {
      const input = { protocol, action: "observe", ...withoutKeys(request) };
      const text = await retryRead(call, name, (frame) => runProgram(program, input, frame), policy);
      const { instances } = parseOutput(seen, text, name);
      const names = new Set(instances.map((entry) => entry.instance));
      if (names.size !== instances.length) {
        throw new RekeyError("proof-failed", `${name} named an instance twice.`);
      }
      const versions = new Set(request.candidates.map((candidate) => candidate.version));
      return instances.map((entry) => toSeen(entry, versions));
    },

    close: async () => {},
  };
}

/** What the program is asked, by name: nothing that is added to the request later gets out by itself. */
function withoutKeys(request: ObserveRequest) {
  const { installation, credential, consumer, rotation } = request;
  const candidates = request.candidates.map(({ version, slot }) => ({ version, slot }));
  return { installation, credential, consumer, rotation, candidates };
}

function toSeen(
  { instance, version, working }: z.output<typeof seen>["instances"][number],
  candidates: ReadonlySet<string>,
): InstanceSeen {
  if (version === null) {
    return { instance, version, working: false, sentence: `${instance} cannot say what it holds.` };
  }
  if (!candidates.has(version)) {
    const sentence = `${instance} holds a version that has no part in this rotation.`;
    return { instance, version: null, working: false, sentence };
  }
  const works = working ? "and works with it" : "and has not worked with it yet";
  return { instance, version, working, sentence: `${instance} holds ${version} ${works}.` };
}
