/** I6 at the noisiest: with every debug switch on, no value and no token reaches the process's output. */
import { expect, it, vi } from "vitest";
import { vaultMakers } from "../../setup/servers.js";
import { vaultWorld } from "./vault-world.js";
import { change, codeOf, contents, call as frame, tag } from "./world.js";

// Before any module is loaded: libraries look at it once.
vi.hoisted(() => {
  process.env.DEBUG = "*";
  process.env.NODE_DEBUG = "http,https,tls";
});

it.each(vaultMakers)("H33: DEBUG=* prints neither values nor tokens of the store at %s", async (maker) => {
  const printed: string[] = [];
  const write = (chunk: unknown) => {
    printed.push(String(chunk));
    return true;
  };
  const spies = [
    vi.spyOn(process.stderr, "write").mockImplementation(write as never),
    vi.spyOn(process.stdout, "write").mockImplementation(write as never),
    ...(["log", "info", "debug", "warn", "error"] as const).map((level) =>
      vi.spyOn(console, level).mockImplementation((...args) => void printed.push(args.map(String).join(" "))),
    ),
  ];
  const world = await vaultWorld(maker);
  try {
    const store = world.open();
    await store.stage("v1", contents("v1"), frame());
    await store.promote(change(null, tag("v1", 1)), frame());
    await store.view(frame());
    await store.preflight(frame());
    expect(await codeOf(store.promote(change(null, tag("v2", 2)), frame()))).toBe("fenced");
    world.loseNextAnswer();
    expect(await codeOf(store.stage("v2", contents("v2"), frame()))).toBe("unknown-outcome");
    // The switch is really on, and what it prints is really seen here.
    const { default: debug } = (await import("debug" as string)) as {
      default: (name: string) => (text: string) => void;
    };
    debug("node-vault")("the switch is on");
  } finally {
    for (const spy of spies) spy.mockRestore();
    await world.dispose();
  }
  const output = printed.join("\n");
  expect(output).toContain("the switch is on");
  expect(output).not.toMatch(/canary|hvs\.|s\.[A-Za-z0-9]{24}/);
});
