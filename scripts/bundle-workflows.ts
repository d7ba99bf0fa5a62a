/**
 * Writes the workflow bundle into dist once, at build time, because bundling takes seconds that neither a
 * worker's start nor a crash loop should pay; and it fails the build when workflow code cannot be bundled.
 */

import { writeFile } from "node:fs/promises";
import { bundleWorkflowCode } from "@temporalio/worker";
import { workflowBundleOptions } from "./workflow-bundle.js";

const dist = new URL("../", import.meta.url);
const { code } = await bundleWorkflowCode(workflowBundleOptions(dist, "js"));
await writeFile(new URL("workflow-bundle.js", dist), code);
