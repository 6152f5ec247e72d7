import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { packageRoot } from '../../src/lib/package-root.ts'
import { storm } from './storm/storm.ts'

/**
 * `npm run test:crash [-- --seed N --runs N --kills N --profile single|team --quick]`: kills a worker at every named crash point, then holds a storm in each profile: runs
 * of every kind while the worker, agents and Postgres are killed at random. Prints what was counted; exit code 1 when
 * anything was lost, repeated or owned twice. The same seed has the same runs and the same kills.
 */
const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    runs: { type: 'string' },
    kills: { type: 'string' },
    profile: { type: 'string' },
    quick: { type: 'boolean', default: false },
  },
})
const number = (text: string | undefined, otherwise: number): number => {
  const value = text === undefined ? otherwise : Number(text)
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`${text} is not a number`)
  return value
}
const PROFILES = ['single', 'team'] as const
if (values.profile !== undefined && !PROFILES.some((one) => one === values.profile))
  throw new Error(`a profile is ${PROFILES.join(' or ')}`)
const seed = number(values.seed, Math.floor(Math.random() * 1_000_000))
const runs = number(values.runs, values.quick ? 40 : 500)
const kills = number(values.kills, values.quick ? 8 : 100)

const interrupted = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort(new Error(signal)))

/** The points, as the tests have them: from a clean process each. */
async function crashPoints(): Promise<boolean> {
  const vitest = join(packageRoot(), 'node_modules/vitest/vitest.mjs')
  const args = [vitest, 'run', '--project', 'crash', 'controller/test/crash/points.test.ts']
  const child = spawn(process.execPath, args, { cwd: packageRoot(), stdio: 'inherit' })
  const [code] = await once(child, 'exit')
  return code === 0
}

const pointsHold = await crashPoints()
let breached = false
for (const profile of values.profile === undefined ? PROFILES : PROFILES.filter((one) => one === values.profile)) {
  const startedMs = performance.now()
  const { counts, breaches } = await storm({
    profile,
    seed,
    runs,
    kills,
    calmMs: 120_000,
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
