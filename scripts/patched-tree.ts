/** A copy of the tree with a patch in it, built: for bugs that are planted, and for what is measured without its guards. */
import { execFile } from "node:child_process";
import { cp, mkdtemp, readdir, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { projectRoot } from "../worker/dev/places.js";

const run = promisify(execFile);

/** Not copied: what is built again, what is shared, and what is nobody's source. */
const left = /^(node_modules|dist|dist\..*|coverage|docs|tools|\.git|\.cache|\.rekey)$/;

/** Gives the folder of a built copy with the patch in it to `use`, and removes it afterwards. Throws where it cannot be built. */
export async function inPatchedTree<T>(patch: string, use: (folder: string) => Promise<T>): Promise<T> {
  const root = projectRoot();
  const copy = await mkdtemp(join(tmpdir(), "rekey-patched-"));
  try {
    for (const entry of await readdir(root))
      if (!left.test(entry)) await cp(join(root, entry), join(copy, entry), { recursive: true });
    await symlink(join(root, "node_modules"), join(copy, "node_modules"));
    await run("git", ["apply", patch], { cwd: copy });
    await run(join(copy, "scripts", "build.sh"), { cwd: copy });
    return await use(copy);
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}
