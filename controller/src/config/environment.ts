export type Environment = Readonly<Record<string, string | undefined>>

/** The one place that reads the process's environment; everything else gets it handed in. */
export function processEnvironment(): Environment {
  return Object.freeze({ ...process.env })
}
