import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { uuidv7 } from '../../src/lib/ids.ts'
import { createTestDatabase, openTestStore } from '../support/database.ts'
import type { ToolCallsProcessConfig } from '../support/tool-calls-process.ts'

const CALLS = 1000
const KILLS = 8

it('1,000 calls of tools, whose process is killed again and again, repeat no side effect and lose none', async () => {
  const database = await createTestDatabase()
  const folder = mkdtempSync(join(tmpdir(), 'stateward-calls-'))
  const effectsFile = join(folder, 'effects')
  writeFileSync(effectsFile, '')
  const ids = Array.from({ length: CALLS }, () => uuidv7())
  const config: ToolCallsProcessConfig = { urls: database.urls, effectsFile, ids }
  const file = join(folder, 'config.json')
  writeFileSync(file, JSON.stringify(config))
  const effects = () =>
    readFileSync(effectsFile, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
  /** Ends by itself, or is killed some time after it has made so many effects more. */
  const live = async (kill: number | null): Promise<number | null> => {
    const child = spawn(process.execPath, [join(import.meta.dirname, '../support/tool-calls-process.ts'), file], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)))
    const before = effects().length
    const timer = setInterval(() => {
      if (kill !== null && effects().length >= before + kill) child.kill('SIGKILL')
    }, 2)
    const code = await ended
    clearInterval(timer)
    return code
  }
  let killed = 0
  for (let i = 0; i < KILLS; i++) if ((await live(20 + Math.floor(Math.random() * 90))) === null) killed += 1
  expect(await live(null)).toBe(0)
  expect(killed).toBeGreaterThan(KILLS / 2)

  const store = await openTestStore(database)
  const rows = await store.reader<{ id: string; tool: string; state: string; operation_id: string }[]>`
    SELECT id, tool, state, operation_id FROM tool_calls`
  const made = new Map<string, number>()
  for (const line of effects()) made.set(line.split(' ')[1]!, (made.get(line.split(' ')[1]!) ?? 0) + 1)
  expect(rows).toHaveLength(CALLS)
  for (const { tool, state, operation_id } of rows) {
    const times = made.get(operation_id) ?? 0
    if (tool === 'effect.once') {
      expect(['succeeded', 'unknown']).toContain(state)
      expect(times, `${operation_id} ${state}`).toBeLessThanOrEqual(1)
    } else expect(state).toBe('succeeded')
    if (state === 'succeeded') expect(times, operation_id).toBeGreaterThanOrEqual(1)
  }
  // What nobody knows is what was under way when a process was killed, and no more.
  expect(rows.filter(({ state }) => state === 'unknown').length).toBeLessThanOrEqual(killed * 16)
  const count = (wanted: string) => rows.filter(({ state }) => state === wanted).length
  const again = [...made].filter(([, times]) => times > 1).length
  console.log(
    `${CALLS} calls, ${killed} kills: ${count('succeeded')} succeeded, ${count('unknown')} unknown, ${again} of idempotent tools called again, no side effect repeated`,
  )
  await store.end()
  await database.drop()
  rmSync(folder, { recursive: true, force: true })
})
