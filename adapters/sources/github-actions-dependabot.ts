/** What Dependabot reads: it has secrets of its own, beside those of workflows, for the registries of `.github/dependabot.yml`. */
import type { ReaderThing } from "../../domain/discovery/said.js";
import { mapOf, settingsIn } from "../shared/source-config.js";
import { location, type Says } from "../shared/source-says.js";
import { valuesIn } from "../shared/source-values.js";
import { expressionsIn, namedOf } from "./github-actions-expressions.js";
import type { Workflow } from "./github-actions-places.js";

/** The secrets of its registries, and values that stand there. */
export function saysDependabot({ path, top, repository, files }: Workflow, says: Says): void {
  const reader: ReaderThing = {
    is: "reader",
    name: `Dependabot of ${repository.name}`,
    traits: { workload: `github-actions ${repository.name}/dependabot` },
    class: "workload-identity",
  };
  const scope = `github ${repository.name}`;
  const all = location(scope, "dependabot/secrets/*");
  for (const { path: setting, name, text } of settingsIn(mapOf(top.registries), "registries")) {
    const where = `${setting} of ${path}`;
    for (const secret of expressionsIn(text).flatMap((expression) => namedOf("secrets", expression).names)) {
      const at = location(scope, `dependabot/secrets/${secret}`);
      says.declared(at, "stored-in", all, `${secret} is one of Dependabot's secrets of ${repository.name}`);
      says.declared(reader, "uses", at, `${where} names it`);
    }
    const met = valuesIn(name, text);
    if (met.length === 0) continue;
    const at = location(files, `${path}#${setting}`);
    says.copy(at, met, true, where);
    says.declared(reader, "uses", at, `${where} holds ${met[0]?.as}`);
  }
}
