/** What makes a process look at its store again: time, a changed file, a signal. Each returns the function that ends it. */
import { watch as watchPath } from "node:fs";
import { dirname } from "node:path";

/** A rename comes as several events; they are one change. */
const settleMs = 20;

/**
 * Calls `look` every `intervalMs`, more or less: `jitter` is the share by which each pause may differ, so that
 * a fleet that was started together does not read together (H35). Does not keep the process alive.
 */
export function every(intervalMs: number, jitter: number, look: () => Promise<unknown>): () => void {
  let timer: NodeJS.Timeout | undefined;
  let ended = false;
  const wait = () => {
    if (ended) return;
    timer = setTimeout(() => void look().finally(wait), intervalMs * (1 + jitter * (2 * Math.random() - 1)));
    timer.unref();
  };
  wait();
  return () => {
    ended = true;
    clearTimeout(timer);
  };
}

/**
 * Calls `look` when something in the file's folder changes: the folder, because a rename puts another file
 * in the place of the watched one. Network file systems send no events, so this never stands alone.
 */
export function onFile(path: string, look: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  try {
    const watcher = watchPath(dirname(path), { persistent: false }, () => {
      clearTimeout(timer);
      timer = setTimeout(look, settleMs);
      timer.unref();
    });
    watcher.on("error", () => watcher.close());
    return () => {
      clearTimeout(timer);
      watcher.close();
    };
  } catch {
    return () => {};
  }
}

/** Calls `look` at each of these signals; `SIGHUP` would otherwise end the process. */
export function onSignals(signals: readonly NodeJS.Signals[], look: () => void): () => void {
  for (const signal of signals) process.on(signal, look);
  return () => {
    for (const signal of signals) process.off(signal, look);
  };
}
