/** How a key is shown to the provider, whoever shows it. */

const answerMsMax = 10_000;

/** Whether the provider lets the key in, as the one that it is said to be. Throws for any other answer than yes and no. */
export async function letsIn(
  provider: string,
  { username, password }: { readonly username: string; readonly password: string },
): Promise<boolean> {
  const answer = await fetch(new URL("/v1/me", provider), {
    headers: { "x-api-key": password },
    signal: AbortSignal.timeout(answerMsMax),
  });
  const text = await answer.text();
  if (answer.status === 401) return false;
  if (!answer.ok) throw new Error(`the provider answered with ${answer.status}`);
  const { key_id: id } = JSON.parse(text) as { key_id: string };
  if (id !== username) throw new Error(`${username} was let in as ${id}`);
  return true;
}
