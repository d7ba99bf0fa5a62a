/**
 * Writes the workflow bundle into dist once, at build time, because bundling takes seconds that neither a
 * worker's start nor a crash loop should pay; and it fails the build when workflow code is not bundleable.
 */

import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { bundleWorkflowCode } from "@temporalio/worker";

const workflowsPath = fileURLToPath(new URL("../workflows/index.js", import.meta.url));
const target = fileURLToPath(new URL("../workflow-bundle.js", import.meta.url));

if (existsSync(workflowsPath)) {
  const { code } = await bundleWorkflowCode({ workflowsPath });
  await writeFile(target, code);
}
