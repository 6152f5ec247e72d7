import { EVENT_WORDS, type Tone } from '../../events/event-words.ts'
import { isObject } from '../../lib/json.ts'
import { msBetween, sizeText, tookText } from '../../lib/took.ts'
import type { EventDto } from '../client/dto.ts'
import type { Colors } from '../terminal.ts'
import { briefData } from './event-lines.ts'
import { indent, renderValue } from './fields.ts'
import { inlineText } from './inline-text.ts'
import { renderFailure, rootMessage } from './run-failure.ts'
import { type Question, questionOf } from './run-gates.ts'

export interface HistoryOptions {
  readonly colors: Colors
  /** What stands before each line: a time of day, or the time since the run began. */
  readonly time: (event: EventDto) => string
  /** Adds what went in and came out of each step. */
  readonly values: boolean
  /** Adds why things failed and what to do about it. */
  readonly failures: boolean
  /** How to decide a gate, one line each way; absent where nobody is asked to. */
  readonly commands?: (question: Question) => readonly string[]
}

type Data = Readonly<Record<string, unknown>>

/**
 * Tells the events of one run in order, one line each, with what belongs to it below. Remembers when each step began, so
 * that its end says how long it took. An event it does not know is told by its name and data.
 */
export function createHistory(options: HistoryOptions): (event: EventDto) => string {
  const began = new Map<string, string>()
  /** Failures that were told. */
  const told = new Set<string>()
  const { colors } = options
  /** That of a run once more only when nothing told it: its step did, as a rule. */
  const failureOf = (name: string, error: Data): string => {
    const message = rootMessage(error)
    if (!name.startsWith('run.step.') && told.has(message)) return ''
    told.add(message)
    return renderFailure(error, colors)
  }
  return (event) => {
    const { data } = event
    const name = event.event_name.replace(/^stateward\./, '')
    const step = stepOf(data)
    const attempt = `${step}#${data['attempt']}`
    if (name === 'run.step.started') began.set(attempt, event.occurred_at)
    const start = typeof data['started_at'] === 'string' ? data['started_at'] : began.get(attempt)
    const took = start === undefined ? '' : ` after ${tookText(msBetween(start, event.occurred_at))}`
    const [tone, text] = EVENT_WORDS[name]?.(event, took) ?? (['quiet', `${name} ${briefData(data)}`] as const)
    const time = options.time(event)
    const about = step === null ? '' : `${colors.bold(inlineText(step))}: `
    const line = `${colors.dim(time)}  ${about}${tinted(inlineText(text), tone, colors)}\n`
    const below = [
      options.failures && isObject(data['error']) ? failureOf(name, data['error']) : '',
      name === 'run.gate.opened' && data['mode'] !== 'policy'
        ? (options.commands?.(questionOf(step ?? '', data)) ?? []).map((command) => `${command}\n`).join('')
        : '',
      options.values ? valuesOf(data, colors) : '',
    ].join('')
    return line + indent(below, time.length + 2)
  }
}

function stepOf(data: Data): string | null {
  const step = data['step'] ?? data['path']
  return typeof step === 'string' ? step : null
}

const VALUES = ['inputs', 'output', 'outputs'] as const

/** A value that was too large for its event is named by size and digest: the row of the run has it whole. */
function valuesOf(data: Data, colors: Colors): string {
  return VALUES.map((name) => {
    const bytes = data[`${name}_bytes`]
    const artifact = data[`${name}_artifact`]
    const where = typeof artifact === 'string' ? `artifact ${artifact}` : `sha256 ${data[`${name}_digest`]}`
    const large = typeof bytes === 'number' ? `${sizeText(bytes)}, ${where}\n` : ''
    const text = large === '' ? renderValue(data[name]) : large
    return text === '' ? '' : `${colors.dim(`${name}:`)}\n${indent(text, 2)}`
  }).join('')
}

function tinted(text: string, tone: Tone, colors: Colors): string {
  if (tone === 'good') return colors.green(text)
  if (tone === 'bad') return colors.red(text)
  if (tone === 'waits') return colors.yellow(text)
  return tone === 'quiet' ? colors.dim(text) : text
}
