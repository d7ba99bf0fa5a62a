/** The clock of a worker under test, as every part of the process reads it, so that it can be made wrong in the middle of a case. */

/** A clock that can be put forward or back. */
export interface ShiftableClock {
  /** From now on it is wrong by so much; 0 is right again. */
  shift(byMs: number): void;
}

/** Takes the place of the process's `Date`. What Temporal's core and the timers go by is not touched, as in a machine whose clock is set. */
export function shiftableClock(): ShiftableClock {
  const right = Date.now.bind(Date);
  let wrongByMs = 0;
  const now = () => right() + wrongByMs;
  globalThis.Date = new Proxy(Date, {
    construct: (target, args: unknown[], made) =>
      Reflect.construct(target, args.length === 0 ? [now()] : args, made) as Date,
    get: (target, name, receiver) => (name === "now" ? now : Reflect.get(target, name, receiver)),
  });
  return {
    shift: (byMs) => {
      wrongByMs = byMs;
    },
  };
}
