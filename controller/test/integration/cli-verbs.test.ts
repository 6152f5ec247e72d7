import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runProgram } from '../../src/cli/program.ts'
import type { JsonObject } from '../../src/lib/json.ts'
import { createObject, createRun, emit, openGate, updateObject } from '../support/api-rows.ts'
import { ADMIN_TOKEN, startApi, type TestApi } from '../support/api-server.ts'
import { type FakeTerminal, fakeTerminal } from '../support/fake-terminal.ts'

/** What the services behind the API were asked to do. */
const asked: JsonObject[] = []
let api: TestApi
let folder: string

const READY: JsonObject = {
  type: 'Ready',
  status: 'True',
  reason: 'Succeeded',
  message: 'it runs',
  observedGeneration: 1,
  lastTransitionTime: '2030-01-01T00:00:00.000Z',
}
const SRE = { kind: 'Agent', name: 'sre', labels: { team: 'platform' }, status: { conditions: [READY] } }
const ISSUE = {
  code: 'SW_WRONG_TYPE',
  severity: 'error',
  message: 'wrong',
  hint: 'write 2',
  file: 'a.yaml',
  line: 3,
  column: 5,
}
let sreUid: string
let runId: string
/** The run that the next `run` starts. */
let nextRun: string

/** An agent whose processes nobody has started. */
const STANDING = {
  namespace: 'default',
  name: 'sre',
  labels: {},
  spec: {},
  createdAt: new Date('2030-01-01T00:00:00.000Z'),
  mode: 'daemon' as const,
  replicas: 1,
  suspended: false,
  deleting: false,
  ready: false,
  message: 'none of its processes has started',
  health: 'starting',
  instances: [],
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stateward-cli-'))
  api = await startApi({
    listen: true,
    services: {
      agentReaders: { find: async (uid) => ({ ...STANDING, uid }) },
      runs: {
        create: async (request) => {
          asked.push({ verb: 'run', ...request, inputs: request.inputs })
          return { runId: nextRun }
        },
        cancel: async ({ reason }) => void asked.push({ verb: 'cancel', reason }),
      },
      gates: {
        decide: async ({ decision, reason, input }, { actor }) =>
          void asked.push({ verb: decision, reason, input: input ?? null, actor }),
      },
      objects: {
        reconcile: async (ref) => {
          asked.push({ verb: 'reconcile', name: ref?.name ?? null })
          return { requestedAt: '2030-01-01T00:00:00.000Z' }
        },
        suspend: async (ref, { reason, expiresAt, merge }) => {
          asked.push({ verb: 'suspend', name: ref.name, reason, expiresAt: expiresAt?.toISOString() ?? null, merge })
          return { branch: 'proposals/suspend-agent-sre', commit: 'ab'.repeat(20), merged: false }
        },
        resume: async (ref, { merge }) => {
          asked.push({ verb: 'resume', name: ref.name, merge })
          return { branch: null, commit: 'cd'.repeat(20), merged: true }
        },
      },
      sources: {
        sync: async () => ({
          revision: 'ef'.repeat(20),
          syncId: null,
          standing: { counts: { create: 0, update: 0, unchanged: 0, delete: 0, skip: 0, blocked: 0 }, issues: [] },
        }),
        approveDeletions: async (_source, revision) => ({ revision: `${revision}0000`, deletions: 7 }),
      },
      logs: {
        run: async (_id, { tailLines, follow }) => textOf(`first ${tailLines} ${follow}\nsecond `, 'line\n'),
        agent: async ({ namespace, name }) => textOf(`${namespace}/${name} \u001b[31m\n`),
      },
    },
  })
  sreUid = await createObject(api.store, SRE)
  await createObject(api.store, { kind: 'Agent', name: 'other', namespace: 'prod' })
  await createObject(api.store, {
    kind: 'Source',
    name: 'state',
    namespace: '',
    status: {
      conditions: [READY],
      issues: [
        { ...ISSUE, object: 'Agent/default/sre' },
        { ...ISSUE, file: 'b.yaml' },
      ],
    },
  })
  runId = await createRun(api.store, {
    name: 'fix-abc234',
    condition: { reason: 'WaitingForApproval', message: 'Go on?' },
  })
  nextRun = runId
  await openGate(api.store, runId)
})
afterAll(async () => {
  await api.stop()
  await rm(folder, { recursive: true, force: true })
})

async function* textOf(...chunks: string[]): AsyncGenerator<string> {
  yield* chunks
}

function terminalFor(options: Parameters<typeof fakeTerminal>[0] = {}): FakeTerminal {
  return fakeTerminal({
    cwd: folder,
    now: '2030-01-01T00:05:00.000Z',
    env: { STATEWARD_SERVER: api.url, STATEWARD_TOKEN: ADMIN_TOKEN },
    ...options,
  })
}

/** What `get` says beside a table of a source whose head has problems. */
function withoutSourceProblems(errors: string): string {
  return errors.split('\nThe head of the state repo has problems:')[0]!
}

/** Runs a command line that has to succeed; what it printed. */
async function run(...argv: string[]): Promise<string> {
  const terminal = terminalFor()
  const code = await runProgram(argv, terminal)
  expect(withoutSourceProblems(terminal.errors())).toBe('')
  expect(code).toBe(0)
  return terminal.output()
}

async function refused(...argv: string[]): Promise<string> {
  const terminal = terminalFor()
  expect(await runProgram(argv, terminal)).toBe(1)
  expect(terminal.output()).toBe('')
  return terminal.errors()
}

async function until(terminal: FakeTerminal, text: string): Promise<void> {
  while (!terminal.output().includes(text)) await new Promise((resolve) => setTimeout(resolve, 10))
}

describe('get', () => {
  it('lists a kind in a namespace, in all of them, and by label', async () => {
    expect(await run('get', 'agents')).toMatch(/^NAME +READY .*\nsre +True +it runs /)
    expect(await run('get', 'ag', '-A')).toMatch(/\ndefault +sre .*\nprod +other /)
    expect(await run('get', 'agents', '-l', 'team=platform', '-A', '-o', 'name')).toBe('agent.stateward.dev/sre\n')
    expect(await run('get', 'agents', '-n', 'prod', '-o', 'name')).toBe('agent.stateward.dev/other\n')
  })

  it('prints a List, or one object by name, as JSON', async () => {
    const list = JSON.parse(await run('get', 'agents', '-A', '-o', 'json'))
    expect(list).toMatchObject({ apiVersion: 'v1', kind: 'List' })
    expect(list.items.map((item: { kind: string }) => item.kind)).toEqual(['Agent', 'Agent'])
    expect(JSON.parse(await run('get', 'agent', 'sre', '-o', 'json'))).toMatchObject({
      kind: 'Agent',
      metadata: { name: 'sre' },
    })
  })

  it('finds a run by the beginning of its name, beside objects of other kinds', async () => {
    expect(await run('get', 'agent/sre', 'run/fix-abc', '-o', 'name')).toBe(
      'agent.stateward.dev/sre\nrun.stateward.dev/fix-abc234\n',
    )
  })

  it('says so when there is nothing, without an error', async () => {
    const terminal = terminalFor()
    expect(await runProgram(['get', 'budgets'], terminal)).toBe(0)
    const errors = withoutSourceProblems(terminal.errors())
    expect([terminal.output(), errors]).toEqual(['', 'No budgets found in namespace default.\n'])
  })

  it('tells beside a table what is wrong at the head of the state repo, and nothing beside JSON', async () => {
    const terminal = terminalFor()
    await runProgram(['get', 'agents'], terminal)
    expect(terminal.errors()).toContain('a.yaml:3:5: error: wrong (write 2) [SW_WRONG_TYPE]')
    const json = terminalFor()
    await runProgram(['get', 'agents', '-o', 'json'], json)
    expect(json.errors()).toBe('')
  })

  it('refuses a name that is not there', async () => {
    expect(await refused('get', 'agent', 'nope')).toBe(
      'error: agents.stateward.dev "nope" not found\n  remedy: check the name and the namespace [SW_NOT_FOUND]\n',
    )
  })

  it('goes on with -w until it is interrupted', async () => {
    const terminal = terminalFor()
    const done = runProgram(['get', 'agents', '-w'], terminal)
    await until(terminal, 'it runs')
    await updateObject(api.store, { ...SRE, status: { conditions: [{ ...READY, message: 'it runs better' }] } }, sreUid)
    await until(terminal, 'it runs better')
    terminal.interrupt()
    expect(await done).toBe(0)
    expect(terminal.output().match(/^NAME/gm)).toHaveLength(1)
  })
})

describe('describe', () => {
  it('shows the problems of an object that stand on its source, and its events', async () => {
    const text = await run('describe', 'agent/sre')
    expect(text).toContain('a.yaml:3:5: error: wrong\n    remedy: write 2 [SW_WRONG_TYPE]')
    expect(text).not.toContain('b.yaml')
    expect(text).toContain('stateward.object.created')
    expect(await run('describe', 'source', 'state')).toContain('b.yaml:3:5')
  })

  it('shows of a run its steps, and the command that lets it go on', async () => {
    const text = await run('describe', 'run', 'fix-abc')
    expect(text).toMatch(/Status: +running: Go on\?/)
    expect(text).toMatch(/analyze +agent_task +completed/)
    expect(text).toContain('stateward approve fix-abc234 approve')
    expect(text).toMatch(/report +transform +created .*after approve/)
  })
})

describe('verbs', () => {
  const last = () => asked.at(-1)

  it('emit sends an event with its data, from the line, a file or standard input', async () => {
    expect(await run('emit', 'checkmk.alert', '--data', '{"host":"web-1"}')).toMatch(
      /^event checkmk\.alert .* is number \d+ of the log\nnext: stateward get runs\n$/,
    )
    await writeFile(join(folder, 'data.json'), '{"host":"web-2"}')
    expect(JSON.parse(await run('emit', 'checkmk.alert', '--data', '@data.json', '-o', 'json')).data).toEqual({
      host: 'web-2',
    })
    const terminal = terminalFor({ input: '{"host":"web-3"}' })
    expect(await runProgram(['emit', 'checkmk.alert', '-d', '-', '-o', 'json'], terminal)).toBe(0)
    expect(JSON.parse(terminal.output())).toMatchObject({ data: { host: 'web-3' }, env_id: 'default' })
    expect(await refused('emit', 'stateward.x')).toContain('[SW_FORBIDDEN]')
  })

  it('run starts a run with its inputs', async () => {
    const text = await run('run', 'fix', '--inputs', '{"host":"a","n":1}', '-i', 'host=web-1', '--name', 'mine')
    expect(text).toBe('run fix-abc234 was started\nnext: stateward describe run fix-abc234\n')
    expect(last()).toMatchObject({ verb: 'run', blueprint: 'fix', name: 'mine', inputs: { host: 'web-1', n: 1 } })
  })

  it('approve and reject decide a gate as the user who calls', async () => {
    expect(await run('approve', 'fix-abc234', 'approve', '-r', 'fine', '--input', '{"a":1}')).toMatch(
      /^approved step approve of run fix-abc234/,
    )
    expect(last()).toMatchObject({
      verb: 'approve',
      reason: 'fine',
      input: { a: 1 },
      actor: expect.stringMatching(/^user:/),
    })
    expect(await run('reject', 'fix-abc234.approve')).toBe('rejected step approve of run fix-abc234\n')
    expect(await refused('approve', 'fix-abc234', 'nope')).toContain('[SW_NOT_FOUND]')
  })

  it('approve deletions lets held-back deletions through', async () => {
    expect(await run('approve', 'deletions', 'abcd')).toBe('7 deletions of revision abcd0000 go through\n')
    expect((await runProgram(['approve', 'deletions'], terminalFor())) as number).toBe(2)
  })

  it('cancel, suspend, resume and reconcile act on one object', async () => {
    expect(await run('cancel', 'fix-abc234', '--reason', 'old')).toMatch(/^run fix-abc234 is (being )?cancelled\n$/)
    expect(last()).toEqual({ verb: 'cancel', reason: 'old' })
    expect(await run('suspend', 'agent/sre', '--for', '2h', '-r', 'noisy')).toBe(
      'agent/sre is suspended until 2030-01-01T02:05:00.000Z\ncommit abababa proposes the same on branch proposals/suspend-agent-sre\n',
    )
    expect(last()).toMatchObject({
      verb: 'suspend',
      name: 'sre',
      reason: 'noisy',
      expiresAt: '2030-01-01T02:05:00.000Z',
      merge: false,
    })
    expect(await run('resume', 'agent', 'sre', '--merge')).toBe(
      'agent/sre is resumed\ncommit cdcdcdc is on the protected branch\n',
    )
    expect(await run('reconcile', 'agent/sre')).toBe(
      'agent/sre will be reconciled, asked for at 2030-01-01T00:00:00.000Z\n',
    )
    expect(await run('reconcile')).toContain('every source will be reconciled')
    expect((await runProgram(['suspend', 'run/x'], terminalFor())) as number).toBe(2)
    expect((await runProgram(['suspend', 'agent/sre', '--for', 'soon'], terminalFor())) as number).toBe(2)
  })

  it('reconcile --wait prints counts for scripts', async () => {
    expect(JSON.parse(await run('reconcile', '--wait', '-o', 'json'))).toMatchObject({
      source: 'state',
      revision: 'ef'.repeat(20),
      outcome: 'unchanged',
      counts: { create: 0, delete: 0 },
      issues: [],
    })
    expect(await run('reconcile', '--wait')).toBe('state at efefefe: unchanged\n')
  })

  it('logs prints what a run or an agent wrote', async () => {
    expect(await run('logs', 'fix-abc234', '--tail', '5')).toBe('first 5 false\nsecond line\n')
    expect(await run('logs', 'agent/sre')).toBe('default/sre \u001b[31m\n')
    expect(await run('logs', 'agent/sre', '-o', 'json')).toBe('{"line":"default/sre \\u001b[31m"}\n')
    const terminal = terminalFor({ columns: 80 })
    await runProgram(['logs', 'agent', 'sre'], terminal)
    expect(terminal.output()).toBe('default/sre \\u001b[31m\n')
    expect((await runProgram(['logs', 'blueprint/x'], terminalFor())) as number).toBe(2)
  })
})

describe('keys', () => {
  it('shows a key once, alone on standard output, and never again', async () => {
    const terminal = terminalFor()
    const words = ['keys', 'create', 'ci', '--role', 'operator', '--verb', 'read', '--expires', '900000h']
    expect(await runProgram(words, terminal)).toBe(0)
    expect(terminal.errors()).toBe('key ci (operator); it is not shown again:\n')
    const token = terminal.output().trim()
    expect(token).toMatch(/^swk_[0-9A-Za-z]{43}$/)
    const listed = await run('keys', 'list')
    expect(listed).toMatch(/ci +swk_.{4}… +operator +read .* never +until 2/)
    expect(listed).not.toContain(token)
    expect((await fetch(`${api.url}/api/v1/events`, { headers: { 'x-api-key': token } })).status).toBe(200)
    expect(await run('keys', 'revoke', 'ci')).toBe('key ci is revoked\n')
    expect((await fetch(`${api.url}/api/v1/events`, { headers: { 'x-api-key': token } })).status).toBe(401)
    expect(await run('keys', 'list')).toContain('revoked')
  })

  it('says what is missing', async () => {
    expect(await refused('keys', 'revoke', 'nothing')).toContain('there is no key "nothing"')
    for (const [words, text] of [
      [['keys', 'create', 'ci'], '--role'],
      [['keys', 'make'], 'it is: stateward keys create'],
    ] as const) {
      const terminal = terminalFor()
      expect([await runProgram([...words], terminal), terminal.errors()]).toEqual([2, expect.stringContaining(text)])
    }
  })
})

describe('events', () => {
  it('shows the past, oldest first, and goes on with --follow where it left off', async () => {
    await emit(api.store, { event_name: 'past.one' }, { event_name: 'past.two' }, { event_name: 'else.x' })
    const past = await run('events', '--name', 'past.*', '-o', 'json')
    expect(
      past
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).event_name),
    ).toEqual(['past.one', 'past.two'])
    const terminal = terminalFor()
    const done = runProgram(['events', '-f', '--name', 'past.*', '--limit', '1'], terminal)
    await until(terminal, 'past.two')
    await emit(api.store, { event_name: 'else.y' }, { event_name: 'past.three' })
    await until(terminal, 'past.three')
    terminal.interrupt()
    expect(await done).toBe(0)
    expect(terminal.output()).not.toMatch(/past\.one|else/)
  })

  it('shows the events of a run', async () => {
    expect(await run('events', '--run', 'fix-abc')).toContain('stateward.run.created')
    expect(await refused('events', '--run', 'nope')).toContain('there is no run "nope"')
  })
})

describe('completion', () => {
  const complete = async (...words: string[]) => (await run('__complete', ...words)).split('\n').slice(0, -1)

  it('completes verbs, flags, kinds, choices and names', async () => {
    expect(await complete('re')).toEqual(['reconcile', 'recovery', 'redirect', 'reject', 'replay', 'resume', 'retry'])
    expect(await complete('get', 'age')).toEqual(['agents', 'agenttemplates'])
    expect(await complete('get', 'agents,bl')).toEqual(['agents,blueprints'])
    expect(await complete('get', 'agents', '')).toEqual(['sre'])
    expect(await complete('get', 'agents', '-n', 'prod', '')).toEqual(['other'])
    expect(await complete('describe', 'agent/s')).toEqual(['agent/sre'])
    expect(await complete('get', '--out')).toEqual(['--output'])
    expect(await complete('get', 'agents', '-o', 'j')).toEqual(['json'])
    expect(await complete('cancel', 'f')).toEqual(['fix-abc234'])
    expect(await complete('logs', 'agent')).toEqual(['agent/sre'])
    expect(await complete('runs', '--status', 'failed,c')).toEqual([
      'failed,cancelled',
      'failed,completed',
      'failed,created',
    ])
    expect(await complete('events', '--run', 'fix')).toEqual(['fix-abc234'])
    expect(await complete('runs', '-n', 'd')).toEqual(['default'])
    expect(await complete('runs', '--since', '')).toEqual([])
    expect(await complete('help', 'app')).toEqual(['approve'])
    expect(await complete('completion', '')).toEqual(['bash', 'fish', 'zsh'])
    expect(await complete('nope', '')).toEqual([])
  })

  it('has nothing to say when no server answers', async () => {
    expect(await complete('get', 'agents', '--server', 'http://127.0.0.1:1', '')).toEqual([])
  })

  it.each(['bash', 'zsh', 'fish'])('prints a script for %s', async (shell) => {
    expect(await run('completion', shell)).toContain('__complete')
  })
})

describe('which server and which credential', () => {
  it('are those of the data folder when none is named', async () => {
    const data = join(folder, 'data')
    await mkdir(join(data, 'credentials'), { recursive: true })
    await writeFile(join(data, 'server.json'), JSON.stringify({ url: api.url, pid: 1 }))
    await writeFile(join(data, 'credentials/admin'), `${ADMIN_TOKEN}\n`, { mode: 0o600 })
    const terminal = terminalFor({ env: {} })
    expect(await runProgram(['--data', data, 'emit', 'a.b'], terminal)).toBe(0)
    expect(terminal.output()).toContain(`next: stateward --data ${data} get runs`)
    expect(await runProgram(['emit', 'a.b', '--data-dir', data], terminalFor({ env: {} }))).toBe(0)
  })

  it('are refused by name when they are wrong', async () => {
    const nobody = terminalFor({ env: { STATEWARD_SERVER: 'http://127.0.0.1:1' } })
    expect(await runProgram(['get', 'agents'], nobody)).toBe(1)
    expect(nobody.errors()).toBe(
      'error: no answer from http://127.0.0.1:1: nothing listens there\n  remedy: start it with `npm start`, or name it with --server [SW_SERVER_UNREACHABLE]\n',
    )
    const wrong = terminalFor({ env: { STATEWARD_SERVER: api.url, STATEWARD_TOKEN: `swk_${'z'.repeat(43)}` } })
    expect(await runProgram(['get', 'agents'], wrong)).toBe(1)
    expect(wrong.errors()).toContain('[SW_UNAUTHENTICATED]')
    const anonymous = terminalFor({ env: { STATEWARD_SERVER: api.url } })
    expect(await runProgram(['emit', 'a.b'], anonymous)).toBe(1)
    expect(anonymous.errors()).toContain('[SW_UNAUTHENTICATED]')
  })
})

describe('verbs without a server', () => {
  it('config shows each value with its origin, and no secret', async () => {
    const terminal = terminalFor({ env: { STATEWARD_TOKEN: 'swk_secret', STATEWARD_SECRET_A_B: 'hidden' } })
    expect(await runProgram(['config', '--port', '99', '-o', 'json'], terminal)).toBe(0)
    const rows = JSON.parse(terminal.output()) as { setting: string; value: unknown; origin: string }[]
    expect(rows.find((row) => row.setting === 'port')).toMatchObject({ value: 99, origin: '--port' })
    expect(rows.find((row) => row.setting === 'token')).toMatchObject({ value: '***', origin: 'STATEWARD_TOKEN' })
    expect(terminal.output()).not.toMatch(/secret"?:|hidden|swk_secret/)
    expect(await run('config', 'print')).toMatch(/\nport +8088 +default +STATEWARD_PORT\n/)
    const wrong = terminalFor({ env: { STATEWARD_PORT: 'x' } })
    expect(await runProgram(['config'], wrong)).toBe(1)
    expect(wrong.errors()).toContain('port must be integer, not "x" (from STATEWARD_PORT)')
  })

  it('version names this program, and the server or why there is none', async () => {
    expect(JSON.parse(await run('version', '-o', 'json'))).toMatchObject({
      server: '0.0.0-test',
      node: process.versions.node,
    })
    const terminal = terminalFor({ env: { STATEWARD_SERVER: 'http://127.0.0.1:1' } })
    expect(await runProgram(['--version'], terminal)).toBe(0)
    expect(terminal.output()).toContain('unknown: no answer from http://127.0.0.1:1')
  })

  it('init writes the starter, and refuses a folder that is in use', async () => {
    expect(await run('init', 'mine')).toMatch(
      /: the starter is commit [0-9a-f]{7} on main\nnext: stateward up --repo mine\n$/,
    )
    expect(await refused('init', 'mine')).toContain('is there already and not empty')
    expect(JSON.parse(await run('init', '--bare', 'bare.git', '-o', 'json'))).toMatchObject({ branch: 'main' })
  })
})
