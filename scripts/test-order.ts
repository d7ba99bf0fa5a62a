/**
 * In which order test files begin. Vitest goes by what it remembers of the last run, and a fresh clone remembers
 * nothing; so the longest files are named, and everything else is in the order of the suites.
 */
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { longest, suiteOf, suites } from "./suites.js";

/** Vitest's own, but for the order within a lane. */
export class TestOrder extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const orderOf = ({ project, moduleId }: TestSpecification): readonly number[] => {
      const name = longest.findIndex((one) => moduleId.endsWith(`/test/${one}.test.ts`));
      const suite = suites.findIndex((one) => one.name === suiteOf(project.name));
      return [project.config.sequence.groupOrder, name < 0 ? longest.length : name, suite];
    };
    const orders = new Map(files.map((file) => [file, orderOf(file)]));
    return (await super.sort(files)).sort((a, b) => compare(orders.get(a) ?? [], orders.get(b) ?? []));
  }
}

function compare(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((one, index) => one !== b[index]);
  return at < 0 ? 0 : (a[at] ?? 0) - (b[at] ?? 0);
}
