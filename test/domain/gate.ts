/** One gate by its name in protocol.md, so that a test can ask it alone. */
import { type Gate, gates } from "../../domain/gates.js";

/** The gate of this name. */
export function gateOf(name: string): Gate {
  const found = gates.find((gate) => gate.name === name);
  if (found === undefined) throw new Error(`no gate ${name}`);
  return found;
}
