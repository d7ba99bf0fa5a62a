/** Handles whose code is loaded when they are used: of what a command line can do, one command needs little. */

/** What has nothing but methods that answer later. */
type Later<T> = { readonly [Name in keyof T]: (...given: never[]) => Promise<unknown> };

/** A handle that stands for another. */
export interface Late<T> {
  readonly handle: T;
  /** True once a method was called. */
  readonly isUsed: () => boolean;
}

/** A handle whose first call loads the real one; every call goes on to that. Calls throw what loading throws. */
export function late<T extends Later<T>>(load: () => Promise<T>): Late<T> {
  let loading: Promise<T> | undefined;
  const handle = new Proxy({} as T, {
    get:
      (_, name) =>
      async (...given: never[]) => {
        loading ??= load();
        return (await loading)[name as keyof T](...given);
      },
  });
  return { handle, isUsed: () => loading !== undefined };
}
