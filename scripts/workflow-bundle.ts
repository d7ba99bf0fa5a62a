/**
 * What goes into the workflow bundle and how, in one place: the build, the house rules and the tests must
 * bundle the same thing.
 */

import { fileURLToPath } from "node:url";
import type { BundleOptions } from "@temporalio/worker";

/**
 * Options of `bundleWorkflowCode` for the project in `folder` (a URL that ends with `/`): its sources (`ts`) or
 * what was compiled from them (`js`). The failure converter seals messages and stacks (temporal.md, Secrets).
 */
export function workflowBundleOptions(folder: URL, extension: "ts" | "js"): BundleOptions {
  const path = (name: string): string => fileURLToPath(new URL(`${name}.${extension}`, folder));
  return { workflowsPath: path("workflows/index"), failureConverterPath: path("worker/failure-converter") };
}
