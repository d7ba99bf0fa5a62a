/** What people read when their estate is wrong: whole outputs, kept beside the files that they are about. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { formatProblems, problemsToJson } from "../../../client/estate/format.js";
import { readEstate } from "../../../client/estate/load.js";
import { kinds } from "../../domain/estate/fixtures.js";

function problemsOf(name: string) {
  const bytes = readFileSync(new URL(`golden/${name}.yaml.in`, import.meta.url));
  const result = readEstate(bytes, `${name}.yaml`, kinds);
  return result.ok ? [] : result.problems;
}

describe("the output about a wrong estate", () => {
  const names = ["sections", "rules", "yaml", "syntax", "documents", "empty", "list", "crlf"];
  it.each(names)("is as agreed: %s", async (name) => {
    await expect(`${formatProblems(problemsOf(name))}\n`).toMatchFileSnapshot(`golden/${name}.golden`);
  });

  it("is the same for programs", async () => {
    await expect(`${problemsToJson(problemsOf("sections"))}\n`).toMatchFileSnapshot(
      "golden/sections.json.golden",
    );
  });

  it("is cut after a number of problems, and says so", () => {
    const text = formatProblems(problemsOf("sections"), { limit: 2 });
    expect(text.split("\n\n")).toHaveLength(3);
    expect(text).toMatch(/^\d+ problems, \d+ of them not shown$/m);
  });
});
