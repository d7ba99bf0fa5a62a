/** `rekey metrics`: how far the programme has come, each figure with what it is a part of and what is not counted. */
import { exitCodes } from "../../../domain/errors.js";
import type { Figure } from "../../../domain/findings/metrics.js";
import { command } from "../command.js";
import { type FormOptions, formOption, showListing } from "../listing.js";

/** Prints the figures. */
export const metrics = command<FormOptions>({
  usage: "metrics",
  summary: "Show figures of the programme, each with its denominator",
  description:
    "Each figure is a part of a whole. In neither number is what is known and cannot be judged; what nobody can\n" +
    "know is named. Looks at everything first, as `rekey findings` does.",
  options: [formOption()],
  examples: [
    ["rekey metrics", "for people"],
    ["rekey metrics --json", "for a program that draws them"],
  ],
  async run(cli, _args, options) {
    const { inventory } = await cli.services();
    await inventory.bringFindings();
    const { at, figures } = await inventory.metrics();
    showListing(cli, options, { at, figures }, (style) => ({
      head: `Figures as of ${style.moment(at)}.`,
      headings: ["figure", "number", "of", "share", "in neither"],
      rows: figures.map((figure) => [
        cli.paint("name", figure.name),
        String(figure.numerator),
        String(figure.denominator),
        shareOf(figure),
        String(figure.leftOut),
      ]),
      // Sentences, which no terminal is wide enough for beside the numbers.
      notes: figures.map(({ name, what, notCounted }) => `${name}: ${what}; not counted: ${notCounted}.`),
      csvHeadings: ["figure", "number", "of", "share", "what", "in neither", "not counted"],
      csvRows: figures.map((figure) => [
        figure.name,
        String(figure.numerator),
        String(figure.denominator),
        shareOf(figure),
        figure.what,
        String(figure.leftOut),
        figure.notCounted,
      ]),
    }));
    return exitCodes.done;
  },
});

/** In whole percent, rounded down, so that 100 % means all of them; of nothing there is no share. */
function shareOf({ numerator, denominator }: Figure): string {
  return denominator === 0 ? "" : `${Math.floor((numerator * 100) / denominator)} %`;
}
