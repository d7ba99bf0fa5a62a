/** Records are found the same however the bytes arrive, and however small the window is that they pass through. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ObjectSplitter } from "../../../adapters/shared/source-log-json.js";
import {
  type ByteSource,
  LineSplitter,
  RecordReader,
  type Splitter,
} from "../../../adapters/shared/source-log-records.js";

/** Gives bytes in pieces of the given lengths, over and over. */
function inPieces(bytes: Buffer, lengths: readonly number[]): ByteSource {
  let [at, turn] = [0, 0];
  return {
    fill: async (into, begin) => {
      const wanted = lengths[turn++ % lengths.length] ?? 1;
      const copied = bytes.copy(into, begin, at, Math.min(at + wanted, bytes.length));
      at += copied;
      return copied;
    },
  };
}

/** Everything that a reader tells, in its order. Records that are no JSON are refused. */
async function told(
  source: ByteSource,
  splitter: Splitter,
  windowLength: number,
  bytesMax: number,
): Promise<string[]> {
  const said: string[] = [];
  const reader = new RecordReader(
    source,
    splitter,
    {
      take: (bytes, from, to, offset) => {
        const text = bytes.toString("latin1", from, to);
        said.push(`${offset}: ${text}`);
        try {
          JSON.parse(text);
          return true;
        } catch {
          return false;
        }
      },
      broken: (offset) => said.push(`${offset}: broken`),
      tooLong: (offset, length) => said.push(`${offset}: too long, ${length}`),
      // However often it stops for that, it says the same.
      full: () => said.length % 3 === 0,
    },
    0,
    bytesMax,
    Buffer.alloc(Math.min(windowLength, bytesMax)),
  );
  while (await reader.more());
  said.push(`${reader.offset}: end, ${splitter.open}`);
  return said;
}

const record = (name: string) => `{"first":"${name}","more":[{"x":"}]\\\\\\"{"}]}`;
const samples: readonly (readonly [string, string, () => Splitter])[] = [
  ["lines", `a\r\n\n${record("b")}\n\r\nlonger and longer\nno end`, () => new LineSplitter()],
  [
    "documents",
    ` {"list" : [${record("a")} , 5,"x", ${record("b")}],"tail":["]}"]}\n[${record("c")},${record("d")}]${record("e")}`,
    () => new ObjectSplitter("list", "first", ""),
  ],
  [
    "a torn document",
    `{"list":[${record("a")},${record("b").slice(0, 30)}"${record("c")},${record("d")},${record("e").slice(0, 20)}`,
    () => new ObjectSplitter("list", "first", ""),
  ],
];
const pieces = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });

describe.each(samples)("%s", (_what, text, splitter) => {
  const bytes = Buffer.from(text);

  it("are found the same in any pieces and any window", async () => {
    const expected = await told(inPieces(bytes, [bytes.length]), splitter(), 4_096, 4_096);
    expect(expected.length).toBeGreaterThan(3);
    await fc.assert(
      fc.asyncProperty(pieces, fc.integer({ min: 1, max: 60 }), async (lengths, length) => {
        expect(await told(inPieces(bytes, lengths), splitter(), length, 4_096)).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });
});

describe("a record that is longer than the window may become", () => {
  it.each([
    ["a line", (pad: string) => `a\n${pad}\nb\n`, () => new LineSplitter(), 2, 0, "b"],
    [
      "an object",
      (pad: string) => `[{"a":1},{"y":"${pad}"},{"b":1}]`,
      () => new ObjectSplitter("list", "first", ""),
      9,
      8,
      '{"b":1}',
    ],
  ] as const)("is passed over and named: %s", async (_what, textOf, splitter, at, more, behind) => {
    await fc.assert(
      fc.asyncProperty(pieces, fc.integer({ min: 100, max: 400 }), async (lengths, padding) => {
        const text = textOf("x".repeat(padding));
        const said = await told(inPieces(Buffer.from(text), lengths), splitter(), 16, 64);
        expect(said).toContain(`${at}: too long, ${padding + more}`);
        expect(said).toContain(`${text.lastIndexOf(behind)}: ${behind}`);
      }),
      { numRuns: 500 },
    );
  });
});
