/**
 * How long set-up steps speak to whoever waits for them; a type of its own because every step takes one and
 * none may print by itself.
 */

/** Receives one line for a person to read, without a line end. */
export type Progress = (line: string) => void;
