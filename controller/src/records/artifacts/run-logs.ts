import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { errorMessage } from '../../lib/errors.ts'
import { getRun } from '../../store/queries/runs.ts'
import { type ArtifactDeps, keepArtifact } from './artifacts.ts'

export interface RunLogs {
  /** The run has ended: its log is kept soon. */
  ended(runId: string): void
  /** Resolves when everything that was asked for is done. */
  settled(): Promise<void>
}

export interface RunLogDeps extends ArtifactDeps {
  /** The file that holds the log of a run, one JSON object a line. */
  readonly fileOf: (runId: string) => string
  /** Resolves when every line that was said so far is in its file. */
  readonly written: (runId: string) => Promise<void>
}

/**
 * Keeps the log of each run as an artifact when it has ended, one after the other. A run whose steps said nothing has none.
 * Losing one (the process dies in between) loses a copy: the file stays where it is.
 */
export function runLogs(deps: RunLogDeps): RunLogs {
  const { log } = deps.store
  let queue: Promise<void> = Promise.resolve()
  return {
    ended(runId) {
      queue = queue
        .then(() => keepLog(deps, runId))
        .catch((error: unknown) => {
          log.warn({ run_id: runId, err: error }, `the log of a run could not be kept: ${errorMessage(error)}`)
        })
    },
    async settled() {
      await queue
    },
  }
}

async function keepLog(deps: RunLogDeps, runId: string): Promise<void> {
  await deps.written(runId)
  const file = deps.fileOf(runId)
  const found = await stat(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (found === null) return
  const run = await getRun(deps.store.engine, runId)
  if (run === null) return
  const artifact = {
    name: `${run.name}.log`,
    kind: 'log',
    contentType: 'application/x-ndjson',
    byteLength: null,
    runId,
    stepId: null,
    metadata: { steps: await stepsIn(file) },
    isRunLog: true,
  }
  const content = createReadStream(file)
  try {
    await keepArtifact(deps, artifact, content, { actor: 'system:controller', correlationId: run.correlation_id })
  } finally {
    content.destroy()
  }
}

/** Paths of the steps that wrote a line. */
async function stepsIn(file: string): Promise<string[]> {
  const steps = new Set<string>()
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
    const { step } = JSON.parse(line) as { readonly step: string }
    steps.add(step)
  }
  return [...steps]
}
