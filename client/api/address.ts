/** Which addresses nobody else can listen to, asked alike by the server, which must not be overheard, and by whoever sends it a token. */

/** True for an address that only this machine can reach. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
}
