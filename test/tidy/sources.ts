/**
 * Reads the project's source files as the house rules see them: what each imports, declares, says in comments
 * and calls. Rules then are plain functions over these facts, so that each can be shown to fail on a small one.
 */

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { type Comment, parseSync } from "oxc-parser";

/** An exported declaration and whether a docstring stands directly before it. */
export interface Exported {
  readonly name: string;
  readonly line: number;
  readonly documented: boolean;
}

/** The facts about one file. Paths are relative to the project's root, with `/`. */
export interface Source {
  readonly path: string;
  readonly text: string;
  readonly lines: number;
  /** Project files that it imports, re-exports or loads with a literal `import()`. */
  readonly imports: readonly string[];
  /** Packages and Node modules that it imports, by package name (`zod`, `@temporalio/client`, `node:fs`). */
  readonly packages: readonly string[];
  readonly exported: readonly Exported[];
  readonly defaultExport: boolean;
  /** Lines of calls and other uses of the global `console`. */
  readonly consoleLines: readonly number[];
  readonly comments: readonly { readonly text: string; readonly line: number }[];
  /** The text of a comment that opens the file (after a `#!` line), if there is one. */
  readonly opening: string | undefined;
}

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

const notOurs = new Set(["node_modules", "dist", "coverage", "docs", "tools"]);

/** Every TypeScript file of the project under `root`, parsed. */
export function readSources(root: string): Source[] {
  const found: Source[] = [];
  const walk = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.name.startsWith(".") || notOurs.has(entry.name) || entry.name.startsWith("dist.")) continue;
      const path = join(folder, entry.name);
      if (entry.isDirectory()) walk(path);
      else if (entry.name.endsWith(".ts")) {
        found.push(readSource(relative(root, path).replaceAll("\\", "/"), readFileSync(path, "utf8")));
      }
    }
  };
  walk(root);
  return found;
}

/** The facts about one file from its text. Throws when the text is not TypeScript. */
export function readSource(path: string, text: string): Source {
  const parsed = parseSync(path, text);
  const problem = parsed.errors[0];
  if (problem !== undefined) throw new Error(`${path}: ${problem.message}`);
  const body = parsed.program.body as unknown as Node[];
  const lineOf = (at: number): number => text.slice(0, at).split("\n").length;
  const specifiers = specifiersOf(body);
  const start = text.startsWith("#!") ? text.indexOf("\n") + 1 : 0;
  const first = parsed.comments[0];
  const opens = first !== undefined && text.slice(start, first.start).trim() === "";
  return {
    path,
    text,
    lines: text.split("\n").length - (text.endsWith("\n") ? 1 : 0),
    imports: specifiers.filter((name) => name.startsWith(".")).map((name) => resolveImport(path, name)),
    packages: specifiers.filter((name) => !name.startsWith(".")).map(packageName),
    exported: exportedOf(body, text, parsed.comments, lineOf),
    defaultExport: body.some((node) => node.type === "ExportDefaultDeclaration"),
    consoleLines: consoleUses(body).map(lineOf),
    comments: parsed.comments.map((comment) => ({ text: comment.value, line: lineOf(comment.start) })),
    opening: opens ? first.value : undefined,
  };
}

function resolveImport(from: string, specifier: string): string {
  return normalize(join(dirname(from), specifier))
    .replaceAll("\\", "/")
    .replace(/\.js$/, ".ts");
}

function packageName(specifier: string): string {
  if (specifier.startsWith("node:")) return specifier;
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

function specifiersOf(body: readonly Node[]): string[] {
  const found: string[] = [];
  visit(body, (node) => {
    if (!/^(Import(Declaration|Expression)|TSImportType|Export(Named|All)Declaration)$/.test(node.type))
      return;
    const source = (node.source ?? node.argument) as { value?: unknown } | null | undefined;
    if (typeof source?.value === "string") found.push(source.value);
  });
  return found;
}

/** Declarations that are exported, where they are declared or by a list elsewhere in the file. */
function exportedOf(
  body: readonly Node[],
  text: string,
  comments: readonly Comment[],
  lineOf: (at: number) => number,
): Exported[] {
  const listed = new Set<string>();
  const declared = new Map<string, { node: Node; exported: boolean }>();
  for (const statement of body) {
    const exports = statement.type === "ExportNamedDeclaration";
    const declaration = (exports ? (statement.declaration ?? undefined) : statement) as Node | undefined;
    for (const name of namesOf(declaration)) {
      // Overloads: the docstring belongs to the first.
      if (!declared.has(name)) declared.set(name, { node: statement, exported: exports });
    }
    if (exports && statement.source == null) {
      for (const item of statement.specifiers as { local: { name?: string } }[])
        listed.add(item.local.name ?? "");
    }
  }
  return [...declared]
    .filter(([name, { exported }]) => exported || listed.has(name))
    .map(([name, { node }]) => {
      const documented = comments.some(
        (comment) =>
          comment.type === "Block" &&
          comment.value.startsWith("*") &&
          comment.end <= node.start &&
          /^\s*$/.test(text.slice(comment.end, node.start)) &&
          !opensFile(comment, comments, text),
      );
      return { name, line: lineOf(node.start), documented };
    });
}

/** The first comment of a file speaks for the file; a blank line after it says so. */
function opensFile(comment: Comment, comments: readonly Comment[], text: string): boolean {
  return (
    comment === comments[0] &&
    /^\r?\n\s*\n/.test(text.slice(comment.end)) &&
    text.slice(0, comment.start).trim() === ""
  );
}

function namesOf(declaration: Node | undefined): string[] {
  if (declaration === undefined) return [];
  if (declaration.type === "VariableDeclaration") {
    const list = declaration.declarations as { id: { name?: string } }[];
    return list.map((item) => item.id.name ?? "").filter((name) => name !== "");
  }
  if (!/^(Function|Class|TSTypeAlias|TSInterface|TSEnum|TSDeclareFunction)/.test(declaration.type)) return [];
  const name = (declaration.id as { name?: string } | null)?.name;
  return name === undefined ? [] : [name];
}

function consoleUses(body: readonly Node[]): number[] {
  const found: number[] = [];
  visit(body, (node) => {
    const object = node.object as { type?: string; name?: string } | undefined;
    if (node.type === "MemberExpression" && object?.type === "Identifier" && object.name === "console") {
      found.push(node.start);
    }
  });
  return found;
}

function visit(value: unknown, see: (node: Node) => void): void {
  if (Array.isArray(value)) {
    for (const item of value) visit(item, see);
  } else if (typeof value === "object" && value !== null) {
    if (typeof (value as Node).type === "string") see(value as Node);
    for (const item of Object.values(value)) if (typeof item === "object") visit(item, see);
  }
}
