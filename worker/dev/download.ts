/**
 * Downloads a pinned release. The sum decides, not the address: whatever a proxy or a mirror hands out is
 * thrown away unless it is byte for byte the release that was pinned.
 */

import { createHash } from "node:crypto";
import { RekeyError } from "../../domain/errors.js";
import type { Progress } from "./progress.js";

/** Limits of one download; tests shorten them. */
export interface DownloadLimits {
  /** Longest wait for the answer's beginning and between two pieces of it, in milliseconds. */
  readonly stallMsMax: number;
  readonly bytesMax: number;
  readonly attempts: number;
}

const defaultLimits: DownloadLimits = { stallMsMax: 20_000, bytesMax: 600 * 1024 * 1024, attempts: 2 };

/**
 * The bytes at `url`, proven to have the SHA-256 `sha256`. Throws `unreachable` when the server does not give
 * them (after a second attempt) and `missing-setup` when the bytes are other ones (never tried again).
 */
export async function download(
  url: string,
  sha256: string,
  progress: Progress,
  limits: DownloadLimits = defaultLimits,
): Promise<Buffer> {
  for (let attempt = 1; ; attempt++) {
    try {
      const bytes = await fetchBytes(url, progress, limits);
      if (createHash("sha256").update(bytes).digest("hex") === sha256) return bytes;
      throw new RekeyError(
        "missing-setup",
        `what ${url} gave does not have the pinned SHA-256; it was thrown away`,
      );
    } catch (error) {
      if (error instanceof RekeyError && error.code === "missing-setup") throw error;
      if (attempt >= limits.attempts) throw new RekeyError("unreachable", `${url} could not be downloaded`);
    }
  }
}

async function fetchBytes(url: string, progress: Progress, limits: DownloadLimits): Promise<Buffer> {
  const stalled = new AbortController();
  let timer = setTimeout(() => stalled.abort(), limits.stallMsMax);
  try {
    const response = await fetch(url, { signal: stalled.signal, redirect: "follow" });
    if (!response.ok || response.body === null)
      throw new RekeyError("unreachable", `${url} answered ${response.status}`);
    const pieces: Uint8Array[] = [];
    const total = Number(response.headers.get("content-length") ?? 0);
    let size = 0;
    let told = 0;
    for await (const piece of response.body) {
      clearTimeout(timer);
      timer = setTimeout(() => stalled.abort(), limits.stallMsMax);
      size += piece.length;
      if (size > limits.bytesMax) throw new RekeyError("unreachable", `${url} is larger than any release`);
      pieces.push(piece);
      const percent = total > 0 ? Math.floor((size / total) * 4) * 25 : 0;
      if (percent > told && percent < 100) progress(`downloaded ${percent} %`);
      told = Math.max(told, percent);
    }
    return Buffer.concat(pieces);
  } finally {
    clearTimeout(timer);
  }
}
