import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AgentTarget } from '../../src/agents/agent-target.ts'
import { agentLog, readInstanceLog } from '../../src/agents/logs.ts'
import { identityOf, isAlive } from '../../src/lib/process-identity.ts'
import { liveInstancesOfAgent } from '../../src/store/queries/instances.ts'
import { DAEMON, startTestFleet, type TestFleet, until } from '../support/agent-fleet.ts'
import { aTarget, type TargetOptions } from '../support/agent-target.ts'

describe('daemons', () => {
  let fleet: TestFleet
  let script: string
  beforeEach(async () => {
    fleet = await startTestFleet()
    script = fleet.write('daemon.mjs', DAEMON)
  })
  afterEach(() => fleet.end())

  const daemon = (options: TargetOptions = {}) =>
    aTarget({ command: ['node', script], heartbeat: { interval: '1s', timeout: '10s' }, grace: 2, ...options })
  const live = (target: AgentTarget) => liveInstancesOfAgent(fleet.store.engine, target.uid)
  const ready = (target: AgentTarget, replicas = target.spec.replicas) =>
    until(`${replicas} ready`, async () => {
      const seen = await fleet.agents.observe(target.uid)
      return seen?.readyReplicas === replicas && seen.ready.status === 'True' ? seen : null
    })
  const pidOf = async (target: AgentTarget) => (await ready(target)).instances[0]!.pid!

  it('are started, register and are Ready; doing it again changes nothing', async () => {
    const target = daemon({ replicas: 2 })
    expect(await fleet.agents.ensure(target)).toMatchObject({
      phase: 'Starting',
      ready: { status: 'False', reason: 'Starting' },
    })
    const seen = await ready(target)
    expect(seen).toMatchObject({ phase: 'Running', replicas: 2, gone: false })
    expect(seen.instances.map(({ ordinal, host }) => [ordinal, host])).toEqual([
      [0, 'local'],
      [1, 'local'],
    ])
    const before = await fleet.store.reader`SELECT seq FROM log_head`
    const again = await fleet.agents.ensure(target)
    expect(again.instances.map(({ id, pid }) => [id, pid])).toEqual(seen.instances.map(({ id, pid }) => [id, pid]))
    expect(await fleet.store.reader`SELECT seq FROM log_head`).toEqual(before)
    expect(await fleet.events('stateward.agent.instance.started')).toHaveLength(2)
    expect(await fleet.events('stateward.agent.instance.registered')).toHaveLength(2)
  })

  it('come back after kill -9, whether it hits the program or what started it', async () => {
    const target = daemon()
    await fleet.agents.ensure(target)
    const changes: string[] = []
    fleet.agents.onChange((key) => changes.push(key))
    const first = await pidOf(target)
    const program = childOf(first)
    const programIdentity = identityOf(program)!
    process.kill(first, 'SIGKILL')
    const second = await until('another pid', async () => {
      const pid = (await fleet.agents.observe(target.uid))?.instances[0]?.pid
      return pid !== undefined && pid !== first ? pid : null
    })
    expect(changes).toContain('Agent/default/sre')
    // The program that lost its shim was ended with it: never two of one replica.
    expect(isAlive(programIdentity)).toBe(false)
    await ready(target)
    process.kill(childOf(second), 'SIGKILL')
    const third = await until('a third pid', async () => {
      const seen = await fleet.agents.observe(target.uid)
      const pid = seen?.instances[0]?.pid
      return pid !== undefined && pid !== second && seen?.instances[0]?.restartCount === 2 ? pid : null
    })
    expect(identityOf(third)).not.toBeNull()
    expect(
      (await fleet.events('stateward.agent.instance.ended')).map(({ data }) => [data['reason'], data['exit_code']]),
    ).toEqual([
      ['exited', null],
      ['exited', 137],
    ])
  })

  it('are adopted by the next controller, not doubled', async () => {
    const target = daemon({ replicas: 2 })
    await fleet.agents.ensure(target)
    const before = (await ready(target)).instances.map(({ id, pid }) => [id, pid])
    await fleet.restart()
    await fleet.agents.ensure(target)
    const after = (await ready(target)).instances.map(({ id, pid }) => [id, pid])
    expect(after).toEqual(before)
    expect(await fleet.events('stateward.agent.instance.adopted')).toHaveLength(2)
    expect(await fleet.events('stateward.agent.instance.started')).toHaveLength(2)
    // An adopted process is no child: its end is found by looking.
    const [killed] = before[0]!
    process.kill(before[0]![1] as number, 'SIGKILL')
    await until(
      'a successor',
      async () => (await live(target)).length === 2 && !(await live(target)).some(({ id }) => id === killed),
    )
  })

  it('that ended while no controller watched are recorded by their exit record, or as lost, and started again', async () => {
    const target = daemon({ replicas: 2, command: ['sh', '-c', 'sleep 60'] })
    await fleet.agents.ensure(target)
    const [a, b] = await until('two pids', async () => {
      const rows = await live(target)
      return rows.length === 2 && rows.every(({ pid }) => pid !== null) ? rows : null
    })
    await fleet.agents.abandon()
    process.kill(childOf(a!.pid!), 'SIGTERM')
    process.kill(-b!.pid!, 'SIGKILL')
    await until('both ended', () => identityOf(a!.pid!) === null && identityOf(b!.pid!) === null)
    await fleet.restart()
    await fleet.agents.ensure(target)
    const ended = await fleet.events('stateward.agent.instance.ended')
    expect(ended.map(({ data }) => [data['ordinal'], data['reason'], data['exit_code']]).sort()).toEqual([
      [0, 'exited', 143],
      [1, 'lost', null],
    ])
    await until('both started again', async () => (await live(target)).length === 2)
  })

  it('whose pid was never recorded are found by what the shim wrote', async () => {
    const target = daemon()
    await fleet.agents.ensure(target)
    const pid = await pidOf(target)
    await fleet.agents.abandon()
    await fleet.store.engine`UPDATE instances SET pid = NULL, pid_start = NULL`
    await fleet.restart()
    await fleet.agents.ensure(target)
    expect(await pidOf(target)).toBe(pid)
  })

  it('whose controller was killed between the row and the process are started once', async () => {
    const target = daemon()
    await fleet.agents.ensure(target)
    await ready(target)
    const [row] = await live(target)
    await fleet.agents.abandon()
    // As it would be without the process: nothing was recorded, and the shim has not come to its first line.
    process.kill(-row!.pid!, 'SIGKILL')
    await until('ended', () => identityOf(row!.pid!) === null)
    await fleet.store.engine`UPDATE instances SET pid = NULL, pid_start = NULL`
    rmSync(join(fleet.dataDir, 'instances', row!.id, 'pid'))
    await fleet.restart()
    expect(readFileSync(join(fleet.dataDir, 'instances', row!.id, 'pid'), 'utf8')).toBe('prevented\n')
    await fleet.agents.ensure(target)
    await ready(target)
    expect((await fleet.events('stateward.agent.instance.ended')).map(({ data }) => data['reason'])).toEqual([
      'not_started',
    ])
  })

  it('stop when their agent is deleted, and leave nothing behind', async () => {
    const target = daemon()
    await fleet.agents.ensure(target)
    const identity = identityOf(await pidOf(target))!
    await fleet.agents.ensure({ ...target, deleting: true })
    const gone = await until('gone', async () => {
      const seen = await fleet.agents.ensure({ ...target, deleting: true })
      return seen.gone ? seen : null
    })
    expect(gone).toMatchObject({ phase: 'Stopped', ready: { reason: 'Terminating' } })
    expect(isAlive(identity)).toBe(false)
    expect(
      (await fleet.events('stateward.agent.instance.ended')).map(({ data }) => [data['reason'], data['exit_code']]),
    ).toEqual([['deleted', 143]])
    expect(readdirSync(join(fleet.dataDir, 'workspaces'))).toEqual([])
  })

  it('that ignore TERM are killed after the grace period', async () => {
    const target = daemon({
      grace: 1,
      command: ['node', '-e', "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)"],
    })
    await fleet.agents.ensure(target)
    await until('started', async () => (await live(target))[0]?.pid)
    await new Promise((resolve) => setTimeout(resolve, 300))
    const { pid } = (await live(target))[0]!
    await fleet.agents.ensure({ ...target, deleting: true })
    await until('gone', async () => (await live(target)).length === 0)
    expect(identityOf(pid!)).toBeNull()
  })

  it('are left running when the deletion policy is Orphan', async () => {
    const target = daemon({ deletionPolicy: 'Orphan' })
    await fleet.agents.ensure(target)
    const pid = await pidOf(target)
    expect(await fleet.agents.ensure({ ...target, deleting: true })).toMatchObject({ gone: true })
    expect(identityOf(pid)).not.toBeNull()
    process.kill(-pid, 'SIGKILL')
  })

  it('are replaced one after the other when their agent changes', async () => {
    const target = daemon()
    await fleet.agents.ensure(target)
    const pid = await pidOf(target)
    const changed = { ...target, launchDigest: 'd2' }
    await fleet.agents.ensure(changed)
    const next = await until('the new one', async () => {
      const seen = await fleet.agents.ensure(changed)
      return seen.ready.status === 'True' ? seen : null
    })
    expect(next.instances).toHaveLength(1)
    expect(next.instances[0]!.pid).not.toBe(pid)
    expect((await fleet.events('stateward.agent.instance.ended')).map(({ data }) => data['reason'])).toEqual([
      'replaced',
    ])
  })

  it('are scaled down and, when suspended, left alone', async () => {
    const target = daemon({ replicas: 2 })
    await fleet.agents.ensure(target)
    await ready(target)
    await fleet.agents.ensure(daemon({ replicas: 1 }))
    await until('one', async () => (await live(target)).length === 1)
    const [kept] = await live(target)
    expect(kept!.ordinal).toBe(0)
    const suspended = daemon({ replicas: 1, suspended: true })
    expect(await fleet.agents.ensure(suspended)).toMatchObject({ phase: 'Paused' })
    process.kill(-kept!.pid!, 'SIGKILL')
    await until('ended', async () => (await live(target)).length === 0)
    expect(await fleet.agents.ensure(suspended)).toMatchObject({ phase: 'Paused', replicas: 0 })
    await fleet.agents.ensure(daemon({ replicas: 1 }))
    await until('started again', async () => (await live(target)).length === 1)
  })

  it('that stop reporting are killed and started again', async () => {
    const target = daemon({ command: ['sleep', '60'], heartbeat: { interval: '100ms', timeout: '400ms' } })
    await fleet.agents.ensure(target)
    await until('an end by heartbeat', async () =>
      (await fleet.events('stateward.agent.instance.ended')).some(({ data }) => data['reason'] === 'heartbeat'),
    )
    await until('a successor', async () => (await live(target))[0]?.restart_count)
  })

  it('that keep ending are in a crash loop, which says when the next start is', async () => {
    const target = daemon({ command: ['sh', '-c', 'echo broken >&2; exit 3'] })
    await fleet.agents.ensure(target)
    const seen = await until('a crash loop', async () => {
      const now = await fleet.agents.observe(target.uid)
      return now?.ready.reason === 'CrashLoop' ? now : null
    })
    expect(seen).toMatchObject({
      phase: 'Failed',
      ready: { message: expect.stringMatching(/exit code 3, 2 times in a row; next start at 20/) },
    })
  })

  it('wait for room on the host, a host that takes them, a command and a secret', async () => {
    fleet.host.slots = 1
    const first = daemon({ uid: '01900000-0000-7000-8000-00000000000a', name: 'a' })
    const second = daemon({ uid: '01900000-0000-7000-8000-00000000000b', name: 'b' })
    await fleet.agents.ensure(first)
    expect(await fleet.agents.ensure(second)).toMatchObject({ phase: 'Pending', ready: { reason: 'NoHost' } })
    fleet.host.slots = 2
    expect(await fleet.agents.ensure(second)).toMatchObject({ phase: 'Starting' })
    const third = (options: TargetOptions) =>
      fleet.agents.ensure(daemon({ uid: '01900000-0000-7000-8000-00000000000c', name: 'c', ...options }))
    expect(await third({ hostSelector: { matchLabels: { zone: 'elsewhere' } } })).toMatchObject({
      phase: 'Pending',
      ready: { reason: 'NoHost', message: 'no host has the label zone=elsewhere' },
    })
    fleet.host.slots = 3
    expect(await third({ command: ['no-such-program'] })).toMatchObject({
      phase: 'Failed',
      ready: { reason: 'CommandNotFound' },
    })
    const env = [{ name: 'KEY', secretRef: { name: 'keys', key: 'openai' } }]
    expect(await third({ env })).toMatchObject({
      phase: 'Failed',
      ready: { reason: 'SecretMissing', message: expect.stringContaining('keys/openai (for KEY)') },
    })
    expect(await live(daemon({ uid: '01900000-0000-7000-8000-00000000000c' }))).toEqual([])
  })

  it('get an environment that holds nothing of the controller, and secrets that no log shows', async () => {
    process.env['LEAKED_FROM_THE_CONTROLLER'] = 'yes'
    fleet.secrets.set('keys/openai', 'sk-very-secret')
    const target = daemon({
      command: [
        'node',
        '-e',
        `console.log(JSON.stringify(process.env)); console.error(process.env.KEY, process.env.STATEWARD_TOKEN); process.stdin.on('data', () => {}).on('end', () => console.log('no input')); setInterval(() => {}, 1000)`,
      ],
      env: [
        { name: 'KEY', secretRef: { name: 'keys', key: 'openai' } },
        { name: 'PLAIN', value: 'p' },
      ],
      shared: 'docs',
      filesTree: 'abc123',
    })
    await fleet.agents.ensure(target)
    const [row] = await until('a row', async () => ((await live(target))[0]?.pid ? live(target) : null))
    const out = await until('output', async () => {
      const text = await readInstanceLog(fleet.agents.fleet, row!.id, { stream: 'out', tail: 10 })
      return text.includes('no input') ? text : null
    })
    expect(Object.keys(JSON.parse(out.split('\n')[0]!)).sort()).toEqual(
      [
        // git is told the credential of the state repo, and asks for none.
        ...['COUNT', 'KEY_0', 'KEY_1', 'KEY_2', 'VALUE_0', 'VALUE_1', 'VALUE_2'].map((name) => `GIT_CONFIG_${name}`),
        'HOME',
        'KEY',
        'LANG',
        'PATH',
        'PLAIN',
        'PWD',
        'STATEWARD_AGENT',
        'STATEWARD_FILES',
        'STATEWARD_GIT_URL',
        'STATEWARD_INSTANCE',
        'STATEWARD_NAMESPACE',
        'STATEWARD_SHARED',
        'STATEWARD_TOKEN',
        'STATEWARD_URL',
        'STATEWARD_WORKSPACE',
      ].filter(
        // Some shells add PWD to what they were given.
        (name) => name !== 'PWD' || out.includes('"PWD"'),
      ),
    )
    const raw = readFileSync(join(fleet.dataDir, 'instances', row!.id, 'out'), 'utf8')
    const environment = JSON.parse(raw.split('\n')[0]!)
    expect(environment).toMatchObject({
      KEY: 'sk-very-secret',
      PLAIN: 'p',
      STATEWARD_FILES: join(fleet.dataDir, 'trees/abc123'),
    })
    expect(environment['PATH'].split(':')[0]).toBe(join(process.execPath, '..'))
    expect(out).not.toContain('sk-very-secret')
    expect(await readInstanceLog(fleet.agents.fleet, row!.id, { stream: 'err', tail: 10 })).toMatch(
      /^\[redacted\] swa_\w{4}\[redacted\]\n$/,
    )
    expect(JSON.stringify([fleet.logLines, await fleet.events('stateward.agent.instance.started')])).not.toContain(
      'sk-very-secret',
    )
    expect(readFileSync(join(fleet.dataDir, 'instances', row!.id, 'instance.json'), 'utf8')).not.toContain(
      'sk-very-secret',
    )
    // The copy of its files is its folder, and read-only.
    expect(readFileSync(`/proc/${childOf(row!.pid!)}/cwd/tree.txt`, 'utf8')).toBe('abc123')
    expect(statSync(join(fleet.dataDir, 'trees/abc123/tree.txt')).mode & 0o777).toBe(0o444)
    expect(statSync(environment['STATEWARD_SHARED']).isDirectory()).toBe(true)
  })

  it('work on tasks, which go to the next attempt when the process dies', async () => {
    const target = daemon()
    await fleet.agents.ensure(target)
    await ready(target)
    const quick = await fleet.enqueue({ prompt: 'hello' })
    await until('a result', async () => (await fleet.task(quick)).status === 'completed')
    expect(await fleet.task(quick)).toMatchObject({ output: { text: 'HELLO' }, attempt: 1 })
    const slow = await fleet.enqueue({ prompt: 'again', inputs: { ms: 1000 } })
    const holder = await until('a lease', async () => (await fleet.task(slow)).instance_id)
    expect((await fleet.agents.observe(target.uid))?.instances[0]?.currentTask).toBe(slow)
    process.kill(-(await live(target)).find(({ id }) => id === holder)!.pid!, 'SIGKILL')
    await until('a second result', async () => (await fleet.task(slow)).status === 'completed')
    expect(await fleet.task(slow)).toMatchObject({ output: { text: 'AGAIN' }, attempt: 2 })
    expect((await fleet.events('stateward.task.requeued')).map(({ data }) => data['attempt'])).toEqual([1])
  })

  it('finish their task before they are stopped', async () => {
    const target = daemon({ grace: 10 })
    await fleet.agents.ensure(target)
    await ready(target)
    const taskId = await fleet.enqueue({ prompt: 'last words', inputs: { ms: 700 } })
    await until('a lease', async () => (await fleet.task(taskId)).instance_id)
    await fleet.agents.ensure({ ...target, deleting: true })
    await until('gone', async () => (await live(target)).length === 0)
    expect(await fleet.task(taskId)).toMatchObject({ status: 'completed', attempt: 1, output: { text: 'LAST WORDS' } })
  })

  it('show what they print, also while it is being printed', async () => {
    const target = daemon({
      command: ['sh', '-c', 'echo one; sleep 0.3; echo two; printf three; sleep 0.2; exit 0'],
      restartPolicy: 'Never',
    })
    await fleet.agents.ensure(target)
    await until('a pid', async () => (await live(target))[0]?.pid)
    let text = ''
    const options = { follow: true, signal: new AbortController().signal, tailLines: null }
    for await (const chunk of await agentLog(fleet.agents.fleet, { namespace: 'default', name: 'sre' }, options))
      text += chunk
    expect(text).toBe('one\ntwo\nthree')
    await until('stopped', async () => (await fleet.agents.observe(target.uid))?.phase === 'Stopped')
  })

  it('are all stopped when the controller goes down, and start at once when it is back', async () => {
    const target = daemon({ replicas: 2 })
    await fleet.agents.ensure(target)
    const identities = (await ready(target)).instances.map(({ pid }) => identityOf(pid!)!)
    await fleet.agents.stopAll({ graceMs: 5000 })
    expect(identities.filter(isAlive)).toEqual([])
    expect((await fleet.events('stateward.agent.instance.ended')).map(({ data }) => data['reason'])).toEqual([
      'shutdown',
      'shutdown',
    ])
    await fleet.restart()
    expect(await fleet.agents.ensure(target)).toMatchObject({ replicas: 2 })
  })
})

/** The program that a shim runs. */
function childOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0])
}
