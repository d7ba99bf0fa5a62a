/** Temporal's own command line at the remote codec: it reads a history with the codec's token, and sealed bytes without. */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { Secret } from "../../domain/secret.js";
import { findBinary } from "../../worker/dev/binaries.js";
import { temporalPin } from "../../worker/dev/pins.js";
import { temporalServer } from "../setup/servers.js";
import { formsOf } from "../support/canaries.js";
import { converter, openHouse } from "../workflows/house.js";
import { ended } from "../workflows/watch.js";
import { openDoor, servicesOf } from "./door.js";

const outputMax = 1 << 26;
/** What nobody reads who may not open. */
const names = ["orders_b", "it is time", "requestedBy"];

/** Every base64 text in what was printed, opened: bytes that were only encoded would be read by anybody. */
function opened(text: string): string {
  const encoded = text.match(/[A-Za-z0-9+/]{16,}={0,2}/g) ?? [];
  return [text, ...encoded.map((each) => Buffer.from(each, "base64").toString("latin1"))].join("\n");
}

test("H7 I6: Temporal's command line reads a rotation through the codec with its token, and sealed bytes without", async () => {
  const house = await openHouse();
  const handle = await house.start();
  await ended(handle);
  const [codec] = converter().payloadCodecs ?? [];
  if (codec === undefined) throw new Error("the house has no codec");
  const token = randomBytes(32).toString("base64url");
  const door = await openDoor(await servicesOf(house), { codec: { codec, tokens: [new Secret(token)] } });
  const { address, namespace } = await temporalServer();
  const program = await findBinary(temporalPin);
  const where = ["--address", address, "--namespace", namespace, "--workflow-id", house.workflowId];
  const show = async (...more: readonly string[]): Promise<{ code: number; text: string }> => {
    const words = ["workflow", "show", ...where, "--output", "json", ...more];
    try {
      const { stdout, stderr } = await promisify(execFile)(program, words, { maxBuffer: outputMax });
      return { code: 0, text: opened(stdout + stderr) };
    } catch (error) {
      const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
      return { code, text: opened(stdout + stderr) };
    }
  };
  const through = ["--codec-endpoint", `${door.url}/codec`, "--codec-auth"];

  const read = await show(...through, `Bearer ${token}`);
  expect(read.code, read.text).toBe(0);
  expect(names.filter((name) => read.text.includes(name))).toEqual(names);
  expect(door.lines).toContainEqual(expect.stringMatching(/^POST \/codec\/decode 200 /));
  const values = house.world.values();
  expect(values.length).toBeGreaterThanOrEqual(3);
  expect(values.flatMap(formsOf).filter((form) => read.text.includes(form))).toEqual([]);

  // Without the codec, with no token, with another one, and with one that reads the API.
  const sealed = await show();
  expect(sealed.code, sealed.text).toBe(0);
  expect(sealed.text).toContain("binary/rekey-sealed-1");
  const refused = [through.slice(0, 2), [...through, "Bearer x"], [...through, `Bearer ${door.token}`]];
  for (const { text } of [sealed, ...(await Promise.all(refused.map((words) => show(...words))))])
    expect(names.filter((name) => text.includes(name))).toEqual([]);
  expect(door.lines.filter((line) => / 401 /.test(line)).length).toBeGreaterThanOrEqual(3);
});
