/** The registered kinds' shapes of accounts and places, as the composed program has them. */
import { kinds } from "../../adapters/registry.js";
import { shapesOf } from "../../domain/estate/shapes.js";

/** Shapes by the registry. */
export const registeredShapes = shapesOf(kinds);
