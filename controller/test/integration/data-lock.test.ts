import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { bootId, identityOf, isAlive, pidNamespace } from '../../src/lib/process-identity.ts'
import { acquireDataLock, dataLockHolder, type LockHolder } from '../../src/store/embedded/data-lock.ts'

describe('the identity of a process', () => {
  it('is its pid together with its start', () => {
    const own = identityOf(process.pid)!
    expect(own.pid).toBe(process.pid)
    expect(isAlive(own)).toBe(true)
    expect(isAlive({ ...own, start: `${own.start}0` })).toBe(false)
    expect(identityOf(0)).toBeNull()
    expect(identityOf(Number.NaN)).toBeNull()
    expect(bootId()).toBe(bootId())
    expect(pidNamespace()).not.toBe('')
  })

  it('ends with the process, also while its zombie is not reaped', async () => {
    // The shell starts a child, does not wait for it, and tells its pid.
    const shell = spawn('sh', ['-c', 'sleep 0 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [text] = await once(shell.stdout, 'data')
    const pid = Number(String(text).trim())
    while (identityOf(pid) !== null) await new Promise((resolve) => setTimeout(resolve, 5))
    expect(() => process.kill(pid, 0)).not.toThrow()
    shell.kill('SIGKILL')
    await once(shell, 'exit')
    expect(identityOf(shell.pid!)).toBeNull()
  })
})

describe('the lock of a data directory', () => {
  let dataDir = ''
  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'stateward-lock-'))
  })
  afterEach(() => rmSync(dataDir, { recursive: true, force: true }))
  const path = () => join(dataDir, 'lock')
  const ended = spawnSync('true').pid
  const write = (holder: Partial<LockHolder>): void => {
    const own = { ...identityOf(process.pid), host: hostname(), boot: bootId(), pidNamespace: pidNamespace() }
    writeFileSync(path(), JSON.stringify({ ...own, ...holder }))
  }

  it('is taken, names its holder to others, and is given back', () => {
    const lock = acquireDataLock(join(dataDir, 'made', 'anew'))
    expect(dataLockHolder(join(dataDir, 'made', 'anew'))).toMatchObject(identityOf(process.pid)!)
    expect(() => acquireDataLock(join(dataDir, 'made', 'anew'))).toThrow(
      expect.objectContaining({ ref: 'SW_DATA_DIR_LOCKED', details: { pid: process.pid, host: hostname() } }),
    )
    lock.release()
    lock.release()
    expect(existsSync(lock.path)).toBe(false)
    expect(dataLockHolder(join(dataDir, 'made', 'anew'))).toBeNull()
    acquireDataLock(join(dataDir, 'made', 'anew')).release()
  })

  it.each<[string, Partial<LockHolder>]>([
    ['a process that ended', { pid: ended }],
    ['a pid that is another process now', { start: 'earlier' }],
    ['another boot of this machine', { boot: 'another' }],
    ['another incarnation of this container', { pidNamespace: 'pid:[1]' }],
  ])('is taken over from %s', (_, holder) => {
    write(holder)
    expect(dataLockHolder(dataDir)).toBeNull()
    acquireDataLock(dataDir)
    expect(dataLockHolder(dataDir)).toMatchObject(identityOf(process.pid)!)
    expect(readdirSync(dataDir)).toEqual(['lock'])
  })

  it('is taken over when it holds no lock at all', () => {
    for (const text of ['', 'garbage', '{"pid": 1}', '[]']) {
      writeFileSync(path(), text)
      acquireDataLock(dataDir).release()
    }
  })

  it('of another machine counts as held, with the remedy in the error', () => {
    write({ host: 'elsewhere' })
    expect(() => acquireDataLock(dataDir)).toThrow(
      expect.objectContaining({
        message: expect.stringContaining('on elsewhere'),
        remedy: expect.stringContaining(path()),
      }),
    )
  })

  it('is not removed by a holder whose lock somebody else replaced', () => {
    const lock = acquireDataLock(dataDir)
    write({ host: 'elsewhere' })
    lock.release()
    expect(existsSync(path())).toBe(true)
  })

  it('survives a process that died while it took over', () => {
    write({ pid: ended })
    writeFileSync(`${path()}.takeover`, readFileSync(path()))
    acquireDataLock(dataDir)
    expect(readdirSync(dataDir)).toEqual(['lock'])
  })

  it('goes to exactly one of many processes that find a stale one', async () => {
    const module = fileURLToPath(new URL('../../src/store/embedded/data-lock.ts', import.meta.url))
    const script = `
      import { acquireDataLock } from ${JSON.stringify(module)}
      process.stdin.once('data', () => {
        try { acquireDataLock(${JSON.stringify(dataDir)}); console.log('held') } catch (error) { console.log(error.ref) }
        process.stdin.once('data', () => process.exit(0))
      })
      console.log('ready')`
    write({ pid: ended })
    const racers = Array.from({ length: 8 }, () =>
      spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['pipe', 'pipe', 'inherit'] }),
    )
    const said = async () =>
      (await Promise.all(racers.map((racer) => once(racer.stdout, 'data')))).map(([text]) => String(text).trim())
    expect(await said()).toEqual(racers.map(() => 'ready'))
    const results = said()
    for (const racer of racers) racer.stdin.write('go\n')
    expect((await results).sort()).toEqual([
      'SW_DATA_DIR_LOCKED',
      'SW_DATA_DIR_LOCKED',
      'SW_DATA_DIR_LOCKED',
      'SW_DATA_DIR_LOCKED',
      'SW_DATA_DIR_LOCKED',
      'SW_DATA_DIR_LOCKED',
      'SW_DATA_DIR_LOCKED',
      'held',
    ])
    for (const racer of racers) racer.stdin.write('end\n')
    await Promise.all(racers.map((racer) => once(racer, 'exit')))
  })
})
