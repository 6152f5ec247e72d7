import { setTimeout as delay } from 'node:timers/promises'
import type { ApiClient } from './client/api-client.ts'
import type { EventDto, RunDto, StepDto } from './client/dto.ts'
import { followRun } from './client/events.ts'
import { commandLine } from './command-line.ts'
import { decisionCommands, type Question } from './print/run-gates.ts'
import { createHistory } from './print/run-history.ts'
import { renderRunTree } from './print/run-tree.ts'
import type { LiveArea } from './terminal.ts'
import type { VerbCall } from './verb.ts'

const FRAME_MS = 100
/** Least pause between two readings of the steps; a slow answer makes it longer. */
const READ_MS = 100

export type Progress = 'tree-or-lines' | 'none'

/**
 * Shows a run until it ends: on a terminal as a tree that is written again in place, elsewhere as a line an event. Resolves
 * to the run as it ended, or as it is when Ctrl-C ended the watching: that never ends the run.
 */
export async function watchRun(
  call: VerbCall,
  client: ApiClient,
  started: RunDto,
  progress: Progress,
): Promise<RunDto> {
  const { terminal } = call
  const interrupted = terminal.untilInterrupted()
  const command = (...words: string[]) => commandLine(call, ...words)
  if (progress === 'none') {
    for await (const _ of followRun(client, started.run_id, interrupted)) {
      // Only the end counts.
    }
  } else if (terminal.live === null) {
    const history = createHistory({
      colors: terminal.colors,
      values: false,
      failures: true,
      time: (event) => event.occurred_at.slice(11, 23),
      commands: (question) => decisionCommands(command, started.name, question),
    })
    for await (const event of followRun(client, started.run_id, interrupted)) await terminal.out(history(event))
  } else {
    const area = await terminal.live()
    try {
      return await showTree(call, client, started, area, interrupted)
    } finally {
      area.done()
    }
  }
  return readRun(client, started.run_id)
}

function readRun(client: ApiClient, runId: string): Promise<RunDto> {
  return client.call('readRun', { run: runId })
}

/** Events only tell that something has changed; what is shown is read, so that it is right whatever was missed. */
async function showTree(
  call: VerbCall,
  client: ApiClient,
  started: RunDto,
  area: LiveArea,
  interrupted: AbortSignal,
): Promise<RunDto> {
  const { clock, colors } = call.terminal
  const command = (...words: string[]) => commandLine(call, ...words)
  const view: { run: RunDto; steps: readonly StepDto[]; frame: number } = { run: started, steps: [], frame: 0 }
  const draw = (): void => {
    const { columns, rows } = area.size
    const commands = (question: Question) => decisionCommands(command, started.name, question)
    area.show(renderRunTree({ ...view, commands }, { now: clock.now(), columns, rows, colors, frame: view.frame }))
    view.frame += 1
  }
  const read = async (): Promise<void> => {
    const [run, steps] = await Promise.all([
      readRun(client, started.run_id),
      client.call('listSteps', { run: started.run_id, values: false }),
    ])
    Object.assign(view, { run, steps: steps.items })
  }
  await read()
  draw()
  const timer = setInterval(draw, FRAME_MS)
  try {
    await readOnEvents(followRun(client, started.run_id, interrupted), read)
    if (!interrupted.aborted) await read()
  } finally {
    clearInterval(timer)
    draw()
  }
  return view.run
}

/**
 * Reads again for every event, but never twice at once and never without a pause: many events make one reading. A server
 * that is away for a moment is asked again; whether it stays away, the stream of events finds out.
 */
async function readOnEvents(events: AsyncIterable<EventDto>, read: () => Promise<void>): Promise<void> {
  const over = new AbortController()
  let wanted = Promise.withResolvers<void>()
  const reading = (async () => {
    while (!over.signal.aborted) {
      await wanted.promise
      wanted = Promise.withResolvers<void>()
      const start = performance.now()
      await read().catch((error: unknown) => {
        if ((error as { ref?: string }).ref !== 'SW_SERVER_UNREACHABLE') throw error
        wanted.resolve()
      })
      const pause = Math.max(READ_MS, 4 * (performance.now() - start))
      await delay(pause, undefined, { signal: over.signal }).catch(() => undefined)
    }
  })()
  const watching = (async () => {
    for await (const _ of events) wanted.resolve()
  })()
  try {
    // A reading that fails for good ends the watching, too.
    await Promise.race([watching, reading])
  } finally {
    over.abort()
    wanted.resolve()
  }
  await reading
}
