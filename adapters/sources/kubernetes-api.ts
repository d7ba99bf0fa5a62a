/**
 * Plain questions to the API of a cluster, and what an answer means: found, not allowed, not there, or forgotten by the server. Only
 * GET is sent, and no answer is repeated in an error.
 */
import { z } from "zod";
import { RekeyError } from "../../domain/errors.js";
import type { AdapterDeps, Call } from "../ports.js";
import { exchange } from "../shared/http.js";
import { parseOutput } from "../shared/program.js";
import { type RetryPolicy, retryRead } from "../shared/retry.js";
import { type AccessSettings, accessOf } from "./kubernetes-access.js";

/** `expired`: the server no longer has the moment that is asked for. */
export type Answer<T> =
  | { readonly is: "found"; readonly value: T }
  | { readonly is: "refused" | "absent" | "expired" };

/** Objects of a kind as they were at one moment, in part. */
export interface Page {
  /** The moment, the same for all pages of a listing. */
  readonly version: string;
  /** Asks for the next page; null behind the last. */
  readonly more: string | null;
  /** The answer itself, whose `items` are the objects. */
  readonly list: { readonly items: readonly unknown[] };
}

/** Where a listing goes on: behind a page, or anew at a moment that was met before. */
export interface PageAsked {
  readonly more?: string;
  readonly version?: string;
}

/** The questions. */
export interface KubernetesApi {
  get<S extends z.ZodType>(schema: S, path: string, call: Call): Promise<Answer<z.output<S>>>;
  /** A page of what `path` lists, of at most `size` objects. Each further try asks for fewer, as what was too long or too slow may come in pieces. */
  page(path: string, asked: PageAsked, size: number, call: Call): Promise<Answer<Page>>;
}

const answerBytesMax = 64 * 1024 * 1024;
/** Answers for a moment that the server no longer has. */
const gone: readonly number[] = [410];
/** And for one that is named: a server that was put back to an earlier time has not had it yet, and calls that an error of its own. */
const noSuchMoment: readonly number[] = [...gone, 500, 504];

/** An answer of 250 objects comes from etcd by way of the API server; both may be busy. */
const usualPatience: RetryPolicy = { attempts: 4, attemptTimeoutMs: 30_000, pauseMs: 250, pauseMsMax: 5_000 };

const listSchema = z
  .looseObject({
    metadata: z.object({ resourceVersion: z.string().min(1), continue: z.string().default("") }),
    items: z.array(z.unknown()).nullable(),
  })
  .transform(
    ({ metadata, items, ...list }): Page => ({
      version: metadata.resourceVersion,
      more: metadata.continue === "" ? null : metadata.continue,
      list: { ...list, items: items ?? [] },
    }),
  );

/** The API of the cluster that is called `cluster` in sentences. `patience`: how long an answer is waited for, and how often it is asked for. */
export function kubernetesApi(
  cluster: string,
  settings: AccessSettings,
  deps: AdapterDeps,
  env: NodeJS.ProcessEnv,
  patience: RetryPolicy = usualPatience,
): KubernetesApi {
  const name = `The API of the cluster ${cluster}`;
  const ask = async <S extends z.ZodType>(
    schema: S,
    path: string,
    call: Call,
    expired: readonly number[] = gone,
  ): Promise<Answer<z.output<S>>> => {
    const { url, tls, token } = await accessOf(settings, deps, env, call);
    const { status, text } = await exchange(
      {
        ...{ name, url: new URL(path, url), method: "GET", tls, answerBytesMax },
        headers: {
          accept: "application/json",
          "user-agent": "rekey",
          ...(token === null ? {} : { authorization: `Bearer ${token.reveal()}` }),
        },
      },
      call,
    );
    if (expired.includes(status)) return { is: "expired" };
    switch (status) {
      case 200:
        return { is: "found", value: parseOutput(schema, text, name) };
      case 401:
        throw new RekeyError("not-permitted", `${name} does not know whoever the engine asks it as.`);
      case 403:
        return { is: "refused" };
      case 404:
        return { is: "absent" };
      default:
        throw new RekeyError("unreachable", `${name} answered with status ${status}.`);
    }
  };
  return {
    get: (schema, path, call) => retryRead(call, name, (frame) => ask(schema, path, frame), patience),
    page(path, asked, size, call) {
      let limit = size;
      return retryRead(
        call,
        name,
        (frame) => {
          const query = new URLSearchParams({ limit: String(limit) });
          limit = Math.max(1, Math.floor(limit / 4));
          if (asked.more !== undefined) query.set("continue", asked.more);
          else if (asked.version !== undefined) {
            query.set("resourceVersion", asked.version);
            query.set("resourceVersionMatch", "Exact");
          }
          return ask(
            listSchema,
            `${path}?${query}`,
            frame,
            query.has("resourceVersion") ? noSuchMoment : gone,
          );
        },
        patience,
      );
    },
  };
}
