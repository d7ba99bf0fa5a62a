/** One request with the credential in use. It may change between the moment it is read and the moment it is shown to the server. */
import type { Credential } from "./credential.js";
import type { CredentialWatch } from "./watch.js";

/**
 * Runs `work` with the current credential and reports how it went. When the server refuses the credential, the
 * store is looked at again and the work is tried once more, if there is another credential by then: showing
 * the same dead password again would only count towards a lock-out (H35). `isAuthFailure` must be true only
 * for errors that came before any work was done.
 */
export async function useCredential<T>(
  watch: CredentialWatch,
  work: (credential: Credential) => Promise<T>,
  isAuthFailure: (error: unknown) => boolean,
): Promise<T> {
  const attempt = async (credential: Credential): Promise<T> => {
    try {
      const result = await work(credential);
      watch.reportWorking(credential);
      return result;
    } catch (error) {
      if (isAuthFailure(error)) watch.reportFailing(credential);
      throw error;
    }
  };
  const first = watch.current;
  try {
    return await attempt(first);
  } catch (error) {
    if (!isAuthFailure(error)) throw error;
    const second = watch.current === first ? await watch.reload() : watch.current;
    if (second === first) throw error;
    return await attempt(second);
  }
}
