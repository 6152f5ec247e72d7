import { parseArgs } from 'node:util'

/** What every benchmark takes. */
export interface BenchOptions {
  readonly quick: boolean
  /** Where the figures go as JSON; null = nowhere. */
  readonly json: string | null
  /** Repetitions; the figures are their medians. */
  readonly repetitions: number
}

const DEFAULT_REPETITIONS = 3

/** Reads the command line; prints the usage and ends the process for `--help` and for what it does not understand. */
export function benchOptions(usage: string): BenchOptions {
  try {
    const { values } = parseArgs({
      options: {
        quick: { type: 'boolean', default: false },
        json: { type: 'string' },
        repetitions: { type: 'string', default: String(DEFAULT_REPETITIONS) },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
    if (values.help) {
      process.stdout.write(usage)
      process.exit(0)
    }
    const repetitions = Number(values.repetitions)
    if (!Number.isInteger(repetitions) || repetitions < 1)
      throw new TypeError('--repetitions takes a whole number from 1 on')
    return { quick: values.quick, json: values.json ?? null, repetitions }
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    process.stderr.write(`${error.message}\n\n${usage}`)
    process.exit(2)
  }
}
