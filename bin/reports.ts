/**
 * Node can write a report about a process that crashes. The report holds the environment, once for each thread, and
 * `env:` references put secrets there; so none is made unless Node itself was told to leave the environment out (I6).
 */

/** The part of Node's `process.report` that matters here. */
export interface Reports {
  /** True where Node was started with `--report-exclude-env`; absent before Node 22.13. */
  excludeEnv?: boolean;
  reportOnFatalError: boolean;
  reportOnSignal: boolean;
  reportOnUncaughtException: boolean;
}

/**
 * Switches every occasion for a report off, unless they are without the environment. Setting `excludeEnv` here would not
 * do: it holds for this thread only, and a report has a part for each thread of Temporal's SDK.
 */
export function keepEnvironmentOut(reports: Reports): void {
  if (reports.excludeEnv === true) return;
  reports.reportOnFatalError = false;
  reports.reportOnSignal = false;
  reports.reportOnUncaughtException = false;
}
