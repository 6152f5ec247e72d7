import { appendFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '../store/ports.ts'
import type { RunFolders, RunLogLine } from './ports.ts'

/** `<data>/runs/<run id>/log`: one JSON object a line. */
export function runLogFile(dataDir: string, runId: string): string {
  return join(dataDir, 'runs', runId, 'log')
}

const MAX_KNOWN = 10_000

/** `<data>/runs/<run id>/`: `workspace` for the tools, `log` beside it, where tools cannot reach it. */
export function createRunFolders(dataDir: string, log: Log): RunFolders & { settled(): Promise<void> } {
  // One line after the other for each run, so that they stand in the file in the order they were said.
  const writing = new Map<string, Promise<void>>()
  // Folders known to be there, the oldest forgotten first: asking the disk for every call would cost more than the call.
  const made = new Set<string>()
  return {
    async workspace(runId, isUsed) {
      const folder = join(dataDir, 'runs', runId, 'workspace')
      if (!isUsed || made.has(runId)) return folder
      await mkdir(folder, { recursive: true })
      if (made.size >= MAX_KNOWN) made.delete(made.values().next().value!)
      made.add(runId)
      return folder
    },
    log(runId, line) {
      const next = (writing.get(runId) ?? Promise.resolve())
        .then(() => append(runLogFile(dataDir, runId), line))
        .catch((error: unknown) =>
          log.warn({ run_id: runId, err: error }, 'a line of the log of a run could not be written'),
        )
        .finally(() => {
          if (writing.get(runId) === next) writing.delete(runId)
        })
      writing.set(runId, next)
    },
    async settled() {
      await Promise.all(writing.values())
    },
  }
}

async function append(file: string, line: RunLogLine): Promise<void> {
  const text = `${JSON.stringify(line)}\n`
  try {
    await appendFile(file, text)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    await mkdir(join(file, '..'), { recursive: true })
    await appendFile(file, text)
  }
}
