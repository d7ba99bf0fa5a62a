/** The settings of an installation: what is missing and what is wrong is said of all of them at once, each in words of its own. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { readInstallation } from "../../worker/config.js";

async function refusalOf(env: NodeJS.ProcessEnv): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), "rekey-settings-"));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  try {
    readInstallation({ ...env, REKEY_HOME: home });
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("it was taken");
}

test("what is not set is named together, and what is wrong with its reason", async () => {
  const message = await refusalOf({ REKEY_ACTIVITY_SLOTS: "none", REKEY_API_PLAIN: "everywhere" });
  expect(message).toMatch(/incomplete: REKEY_DATABASE_URL, [\w, ]+ are not set; /);
  expect(message).not.toContain("undefined");
  expect(message).toMatch(/REKEY_ACTIVITY_SLOTS: .*number/);
  expect(message).toMatch(/REKEY_API_PLAIN: .*loopback/);
});
