/** I6: what is left of a value in the memory of a process, seen from outside of it: nothing of the bytes that we own. */
import { randomBytes } from "node:crypto";
import { mkdtemp, open, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { compile } from "../support/programs.js";
import type { Stage } from "./heap-program.js";

/** How often the bytes lie in the writable memory of a process. Needs /proc, and to be its parent. */
async function countIn(pid: number, value: Buffer): Promise<number> {
  const maps = (await readFile(`/proc/${pid}/maps`, "utf8")).split("\n");
  const memory = await open(`/proc/${pid}/mem`, "r");
  let count = 0;
  try {
    for (const line of maps) {
      const [, from = "", to = ""] = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line) ?? [];
      if (from === "" || /\[vvar|\[vsyscall/.test(line)) continue;
      const size = Number(BigInt(`0x${to}`) - BigInt(`0x${from}`));
      const bytes = Buffer.alloc(size);
      // Reserved and never touched, or gone since the list was made.
      const { bytesRead } = await memory
        .read({ buffer: bytes, position: BigInt(`0x${from}`) as unknown as number })
        .catch(() => ({ bytesRead: 0 }));
      for (let at = bytes.indexOf(value); at >= 0 && at < bytesRead; at = bytes.indexOf(value, at + 1))
        count += 1;
    }
  } finally {
    await memory.close();
  }
  return count;
}

test("I6: own bytes are gone from the process's memory, and a heap snapshot holds no value that was revealed", async () => {
  const folder = await mkdtemp(join(tmpdir(), "rekey-heap-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const [unseen, revealed] = [randomBytes(24).toString("base64url"), randomBytes(24).toString("base64url")];
  const mask = randomBytes(32);
  const masked = (value: string) =>
    Buffer.from(Buffer.from(value).map((byte, index) => byte ^ (mask[index] ?? 0))).toString("hex");
  const programs = await compile(["test/worker/heap-program"]);
  onTestFinished(() => programs.close());
  const { child, output } = await programs.start<Stage>("test/worker/heap-program", {
    FOLDER: folder,
    UNSEEN: masked(unseen),
    REVEALED: masked(revealed),
    MASK: mask.toString("hex"),
  });
  const pid = child.pid ?? 0;
  /** What is seen once the program has come to that stage. */
  const seenAt = async (stage: Stage["stage"]) => {
    await expect.poll(() => output.join(""), { timeout: 60_000 }).toContain(`"stage":"${stage}"`);
    const snapshot = await readFile(join(folder, `${stage.replace(" ", "-")}.heapsnapshot`), "utf8");
    return {
      bytes: await countIn(pid, Buffer.from(unseen)),
      snapshot: [unseen, revealed].map((value) => snapshot.includes(value)),
    };
  };
  // A byte array's content is in no snapshot: only a string is, for as long as somebody holds it.
  expect(await seenAt("in hand")).toEqual({ bytes: 1, snapshot: [false, false] });
  child.kill("SIGUSR2");
  expect(await seenAt("used")).toEqual({ bytes: 1, snapshot: [false, true] });
  child.kill("SIGUSR2");
  expect(await seenAt("ended")).toEqual({ bytes: 0, snapshot: [false, false] });
  child.kill("SIGUSR2");
});
