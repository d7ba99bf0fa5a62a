/** What a thing is by several sources: the same whichever is read first, however often, and however a reading is cut. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { type ClassSaid, classOf, classOfReaders, laterWord } from "../../../domain/discovery/classes.js";
import { credentialClasses } from "../../../domain/estate/classes.js";

const word = fc
  .record({
    class: fc.constantFrom(...credentialClasses),
    last: fc.integer({ min: 0, max: 4 }),
    span: fc.integer({ min: 0, max: 4 }),
  })
  .map(({ span, ...said }) => ({ ...said, first: said.last - span }));

test("a source's word is its latest, in whatever order it is told", () => {
  const told = (words: readonly ClassSaid[]) => words.reduce(laterWord);
  fc.assert(
    fc.property(fc.array(word, { minLength: 1 }), fc.nat(), (words, cut) => {
      const turned = [...words.slice(cut % words.length), ...words.slice(0, cut % words.length)];
      expect(told([...turned].reverse())).toEqual(told(words));
      expect(told([...words, ...turned])).toEqual(told(words));
      expect(told(words).last).toBe(Math.max(...words.map(({ last }) => last)));
      expect(told(words).first).toBe(Math.min(...words.map(({ first }) => first)));
    }),
  );
});

test("a later word mends an earlier one, also where that told more", () => {
  expect(laterWord({ class: "agent", first: 1, last: 1 }, { class: "token", first: 2, last: 2 }).class).toBe(
    "token",
  );
  expect(laterWord({ class: "token", first: 2, last: 2 }, { class: "agent", first: 1, last: 1 }).class).toBe(
    "token",
  );
});

test("of several sources the one that tells most has the word", () => {
  fc.assert(
    fc.property(fc.shuffledSubarray([...credentialClasses], { minLength: 1 }), (kinds) => {
      const most = Math.max(...kinds.map((kind) => credentialClasses.indexOf(kind)));
      expect(classOf(kinds.map((kind) => ({ class: kind })))).toBe(credentialClasses[most]);
    }),
  );
  expect(classOf([])).toBeNull();
});

test("a consumer is what its readers are, where all of which anything is known are one", () => {
  expect(classOfReaders([])).toBeNull();
  expect(classOfReaders([null])).toBeNull();
  expect(classOfReaders(["agent", null, "agent"])).toBe("agent");
  expect(classOfReaders(["agent", "token"])).toBeNull();
});
