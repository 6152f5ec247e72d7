import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { packageRoot } from '../../src/lib/package-root.ts'
import { storm } from './storm/storm.ts'

const USAGE = `Kills a worker at every named crash point, and processes in the middle of 1,000 calls of tools; then holds a storm in each profile: runs of every kind while workers,
agents, connections and Postgres are killed at random. Prints what was counted.

Usage: npm run test:crash [-- options]

  --seed N           the same runs and the same kills as another storm (default: random, printed)
  --runs N           runs of each storm (default 500; 40 with --quick)
  --kills N          kills of each storm (default 100; 8 with --quick)
  --profile NAME     only one: single (a process with its own database) or team (a leader and workers that share one)
  --quick            a small storm
  -h, --help         this text

Examples:
  npm run test:crash
  npm run test:crash -- --quick --profile team
  npm run test:crash -- --profile single --seed 42 --runs 100 --kills 20

Exit code: 0; 1 when anything was lost, repeated or owned twice; 2 for a wrong option.
`

const PROFILES = ['single', 'team'] as const

/** Reads the command line; ends the process for `--help` and for what it does not understand. */
function stormOptions() {
  try {
    const { values } = parseArgs({
      options: {
        seed: { type: 'string' },
        runs: { type: 'string' },
        kills: { type: 'string' },
        profile: { type: 'string' },
        quick: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
    if (values.help) {
      process.stdout.write(USAGE)
      process.exit(0)
    }
    const { profile } = values
    if (profile !== undefined && !PROFILES.some((one) => one === profile))
      throw new TypeError(`--profile takes ${PROFILES.join(' or ')}`)
    return {
      seed: number('--seed', values.seed, Math.floor(Math.random() * 1_000_000)),
      runs: number('--runs', values.runs, values.quick ? 40 : 500),
      kills: number('--kills', values.kills, values.quick ? 8 : 100),
      profiles: PROFILES.filter((one) => profile === undefined || one === profile),
    }
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    process.stderr.write(`${error.message}\n\n${USAGE}`)
    process.exit(2)
  }
}

function number(name: string, text: string | undefined, otherwise: number): number {
  const value = text === undefined ? otherwise : Number(text)
  if (!Number.isSafeInteger(value) || value < 0) throw new TypeError(`${name} takes a whole number`)
  return value
}

const { seed, runs, kills, profiles } = stormOptions()

const interrupted = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort(new Error(signal)))

/** The points and the calls of tools, as the tests have them: from a clean process each. */
async function crashPoints(): Promise<boolean> {
  const vitest = join(packageRoot(), 'node_modules/vitest/vitest.mjs')
  const files = ['points', 'tool-calls'].map((name) => `controller/test/crash/${name}.test.ts`)
  const args = [vitest, 'run', '--project', 'crash', ...files]
  const child = spawn(process.execPath, args, { cwd: packageRoot(), stdio: 'inherit' })
  const [code] = await once(child, 'exit')
  return code === 0
}

const pointsHold = await crashPoints()
let breached = false
for (const profile of profiles) {
  const startedMs = performance.now()
  const { counts, breaches } = await storm({
    profile,
    seed,
    runs,
    kills,
    // An agent that was killed again and again is started after a pause of at most 6 minutes.
    calmMs: 400_000,
    limitMs: 60_000 + kills * 10_000 + runs * 1000,
    signal: interrupted.signal,
    log: console.log,
  })
  console.table({ seed, ...counts, seconds: Math.round((performance.now() - startedMs) / 1000) })
  for (const breach of breaches) console.error(`BREACH ${breach}`)
  breached ||= breaches.length > 0
  const again = `--profile ${profile} --seed ${seed} --runs ${runs} --kills ${kills}`
  console.log(`the same storm again: npm run test:crash -- ${again}`)
}
process.exitCode = pointsHold && !breached ? 0 : 1
