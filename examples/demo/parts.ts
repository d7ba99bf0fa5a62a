/** The words that the demo's stage and its estate share, kept apart so that neither has to know the other. */

/** A policy as the estate writes it; durations are texts such as `2s`. */
export type PolicyText = Readonly<Record<string, unknown>>;

/** Where the services read, and what the estate says of it. */
export interface StoreScene {
  readonly kind: "file" | "vault";
  readonly serviceEnv: Readonly<Record<string, string>>;
  readonly config: Readonly<Record<string, unknown>>;
  readonly place: Readonly<Record<string, unknown>>;
  read(): Promise<Record<string, string>>;
  stop(): Promise<void>;
}
