import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { runProgram } from '../../src/cli/program.ts'
import { sha256 } from '../../src/lib/digest.ts'
import { uuidv7 } from '../../src/lib/ids.ts'
import { createArtifact, readArtifact, storeArtifact } from '../../src/records/artifacts/artifacts.ts'
import { type ContentFiles, contentFiles } from '../../src/records/artifacts/content-files.ts'
import { runLogs } from '../../src/records/artifacts/run-logs.ts'
import { oldArtifacts } from '../../src/records/chores.ts'
import { runLogFile } from '../../src/runs/run-folders.ts'
import { readEvents } from '../../src/store/log.ts'
import { ADMIN_TOKEN, asAdmin, startApi, type TestApi } from '../support/api-server.ts'
import { assertCatalogued } from '../support/assert-events.ts'
import { fakeTerminal } from '../support/fake-terminal.ts'
import { blueprintOf, functionTools, startRunStack, untilEnded } from '../support/run-stack.ts'

const LIMITS = { maxBytes: 1000, maxTotalBytes: 2500 }
const DAY = 86_400_000

let folder: string
let files: ContentFiles
let api: TestApi

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stateward-artifacts-'))
  files = contentFiles(join(folder, 'artifacts'))
  api = await startApi({
    listen: true,
    services: {
      artifacts: {
        create: (artifact, caller) => createArtifact(deps(), artifact, caller),
        store: (id, content, caller) => storeArtifact(deps(), id, content, caller),
        read: (id) => readArtifact(deps(), id),
      },
    },
  })
})
afterAll(async () => {
  await assertCatalogued(api.store.reader)
  await api.stop()
  await rm(folder, { recursive: true })
})
beforeEach(async () => {
  await api.store.engine`DELETE FROM artifacts`
  await oldArtifacts(deps(), 0).run()
})

const deps = () => ({ store: api.store, files, limits: LIMITS })
const announce = async (body: object) => {
  const answer = await api.server.app.inject({
    method: 'POST',
    url: '/api/v1/artifacts',
    headers: asAdmin,
    payload: body,
  })
  return { status: answer.statusCode, body: answer.json() }
}
const send = async (id: string, content: string | Buffer, type = 'text/plain') => {
  const answer = await api.server.app.inject({
    method: 'PUT',
    url: `/api/v1/artifacts/${id}/content`,
    headers: { ...asAdmin, 'content-type': type },
    payload: content,
  })
  return { status: answer.statusCode, body: answer.json() }
}
const stored = async (content: string, more: object = {}) => {
  const { body } = await announce({ name: 'a.txt', ...more })
  return (await send(body.artifact_id, content)).body
}
const used = async () => (await api.store.engine<{ bytes: number }[]>`SELECT bytes FROM artifact_usage`)[0]!.bytes
const filesOnDisk = async () => {
  const entries = await readdir(join(folder, 'artifacts'), { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name)
}

/** As it is answered alone: with the request that asked for it. */
const told = (artifact: object) => ({ ...artifact, correlation_id: expect.any(String) })

describe('an artifact', () => {
  it('is announced, sent, listed and downloaded as it was', async () => {
    const bytes = Buffer.from([0, 255, 10, 13, 0])
    const announced = await announce({ name: 'ü report.bin', kind: 'report', content_type: 'application/x-thing' })
    expect(announced.status).toBe(201)
    const id = announced.body.artifact_id
    expect(announced.body).toEqual({
      artifact_id: id,
      name: 'ü report.bin',
      kind: 'report',
      content_type: 'application/x-thing',
      byte_length: null,
      created_at: expect.stringMatching(/^\d{4}-.*Z$/),
      created_by: 'user:ada',
      run_id: null,
      step_id: null,
      sha256: null,
      metadata: {},
      correlation_id: expect.any(String),
      upload_url: `/api/v1/artifacts/${id}/content`,
    })
    expect((await api.server.app.inject(`/api/v1/artifacts/${id}/download`)).statusCode).toBe(404)

    const { upload_url: _url, correlation_id: _id, ...expected } = announced.body
    const whole = { ...expected, byte_length: 5, sha256: sha256(bytes) }
    expect(await send(id, bytes, 'application/json')).toEqual({ status: 200, body: told(whole) })
    expect((await api.server.app.inject(`/api/v1/artifacts/${id}`)).json()).toEqual(told(whole))
    expect((await api.server.app.inject('/api/v1/artifacts')).json().items).toEqual([whole])
    const download = await api.server.app.inject(`/api/v1/artifacts/${id}/download`)
    expect(download.rawPayload).toEqual(bytes)
    expect(download.headers).toMatchObject({
      'content-type': 'application/x-thing',
      'content-length': '5',
      etag: `"${sha256(bytes)}"`,
      'content-disposition': `attachment; filename*=UTF-8''%C3%BC%20report.bin`,
      'x-content-type-options': 'nosniff',
    })
    const [event] = await readEvents(api.store.engine, { resource: { type: 'Artifact', id }, limit: 5 })
    expect(event).toMatchObject({ event_name: 'stateward.artifact.stored', data: { byte_length: 5 } })
  })

  it('comes at once when it is small', async () => {
    const bytes = Buffer.from([0, 255, 10])
    const created = await announce({ name: 'a.bin', kind: 'file', content_base64: bytes.toString('base64') })
    expect(created).toMatchObject({ status: 201, body: { byte_length: 3, sha256: sha256(bytes) } })
    const download = await api.server.app.inject(`/api/v1/artifacts/${created.body.artifact_id}/download`)
    expect(download.rawPayload).toEqual(bytes)
    for (const wrong of ['AP8', 'AP8*', 'AP8K\n'])
      expect((await announce({ name: 'a.bin', content_base64: wrong })).status).toBe(400)
  })

  it('may be empty', async () => {
    expect(await stored('')).toMatchObject({ byte_length: 0, sha256: sha256('') })
  })

  it('shares its bytes with others that have the same, also when they come at once', async () => {
    const [first, ...others] = await Promise.all(Array.from({ length: 6 }, () => stored('the same')))
    for (const other of others) expect(other.sha256).toBe(first.sha256)
    expect(await filesOnDisk()).toEqual([sha256('the same')])
    expect(await used()).toBe(8)
  })

  it('takes the same bytes twice, other bytes never', async () => {
    const { artifact_id: id } = await stored('one')
    expect((await send(id, 'one')).status).toBe(200)
    expect(await send(id, 'two')).toMatchObject({ status: 409, body: { error: { code: 'conflict' } } })
    expect((await send(uuidv7(), 'x')).status).toBe(404)
    expect(await filesOnDisk()).toEqual([sha256('one')])
  })

  it('is refused beyond each limit, with a code of its own, and leaves nothing behind', async () => {
    expect(await announce({ name: 'a', byte_length: 1001 })).toMatchObject({
      status: 413,
      body: { error: { code: 'artifact_too_large', details: { ref: 'SW_ARTIFACT_TOO_LARGE' } } },
    })
    const { body } = await announce({ name: 'a' })
    expect(await send(body.artifact_id, 'x'.repeat(1001))).toMatchObject({
      status: 413,
      body: { error: { code: 'artifact_too_large' } },
    })
    // The sender hears it though he has not sent all of it.
    const answer = await fetch(`${api.url}/api/v1/artifacts/${body.artifact_id}/content`, {
      method: 'PUT',
      headers: { ...asAdmin, 'content-type': 'text/plain' },
      body: 'x'.repeat(5_000_000),
    })
    expect(answer.status).toBe(413)
    await stored('a'.repeat(1000))
    await stored('b'.repeat(1000))
    expect(await send(body.artifact_id, 'c'.repeat(501))).toMatchObject({
      status: 507,
      body: { error: { code: 'artifacts_full', details: { ref: 'SW_ARTIFACTS_FULL' } } },
    })
    // What is there already takes no more room.
    expect((await send(body.artifact_id, 'b'.repeat(1000))).status).toBe(200)
    expect((await filesOnDisk()).length).toBe(2)
    expect(await used()).toBe(2000)
  })

  it('is as long as was announced, or refused', async () => {
    const { body } = await announce({ name: 'a', byte_length: 4 })
    expect((await send(body.artifact_id, 'abc')).status).toBe(400)
    expect((await send(body.artifact_id, 'abcd')).status).toBe(200)
  })

  it('whose sender goes away is not stored', async () => {
    const { body } = await announce({ name: 'a' })
    const broken = Readable.from(
      (async function* () {
        yield Buffer.from('half')
        throw new Error('gone')
      })(),
    )
    const by = { actor: 'user:ada', correlationId: 'c' }
    await expect(storeArtifact(deps(), body.artifact_id, broken, by)).rejects.toThrow('gone')
    expect(await filesOnDisk()).toEqual([])
  })

  it('is written by the admin alone', async () => {
    const answer = await api.server.app.inject({ method: 'POST', url: '/api/v1/artifacts', payload: { name: 'a' } })
    expect(answer.statusCode).toBe(401)
    const put = await api.server.app.inject({
      method: 'PUT',
      url: `/api/v1/artifacts/${uuidv7()}/content`,
      payload: 'x',
    })
    expect(put.statusCode).toBe(401)
  })

  it('pages the newest first, by kind', async () => {
    for (let i = 0; i < 3; i++) await announce({ name: `n${i}`, kind: 'bundle' })
    await announce({ name: 'other' })
    const first = (await api.server.app.inject('/api/v1/artifacts?kind=bundle&limit=2')).json()
    expect(first.items.map(({ name }: { name: string }) => name)).toEqual(['n2', 'n1'])
    const rest = (
      await api.server.app.inject(`/api/v1/artifacts?kind=bundle&limit=2&cursor=${first.next_cursor}`)
    ).json()
    expect(rest).toMatchObject({ items: [{ name: 'n0' }], next_cursor: null })
  })
})

describe('stateward artifacts', () => {
  const cli = async (...args: readonly string[]) => {
    const terminal = fakeTerminal()
    const code = await runProgram(['artifacts', ...args, '--server', api.url, '--token', ADMIN_TOKEN], terminal)
    return { code, output: terminal.output(), errors: terminal.errors() }
  }

  it('puts, lists and gets a file', async () => {
    const file = join(folder, 'report.json')
    await writeFile(file, '{"ok": true}')
    const put = await cli('put', file, '--kind', 'report', '--type', 'application/json', '-o', 'json')
    expect(put.code, put.errors).toBe(0)
    const { artifact_id: id } = JSON.parse(put.output)
    expect((await cli('list')).output).toMatch(new RegExp(`${id} +report.json +report +12 `))
    const copy = join(folder, 'copy.json')
    expect((await cli('get', id, '--file', copy)).output).toContain(`12 bytes in ${copy}`)
    expect(await readFile(copy, 'utf8')).toBe('{"ok": true}')
    expect((await cli('put', join(folder, 'nothing'))).errors).toContain('SW_USAGE')
    expect((await cli('get', uuidv7())).errors).toContain('SW_NOT_FOUND')
  })
})

describe('retention of artifacts', () => {
  it('deletes what is old, with its bytes unless another has them, and what never came to its end', async () => {
    const old = await stored('shared')
    const lonely = await stored('lonely')
    await api.store.engine`UPDATE artifacts SET created_at = created_at - interval '31 days'`
    const young = await stored('shared')
    const stray = join(folder, 'artifacts/.incoming', 'stray')
    await writeFile(stray, 'half')
    const yesterday = (Date.now() - 2 * DAY) / 1000
    await utimes(stray, yesterday, yesterday)

    expect(await oldArtifacts(deps(), 30 * DAY).run()).toBe(2)
    expect(await filesOnDisk()).toEqual([old.sha256])
    expect(await used()).toBe(6)
    const answer = await api.server.app.inject(`/api/v1/artifacts/${young.artifact_id}/download`)
    expect(answer.payload).toBe('shared')
    expect((await api.server.app.inject(`/api/v1/artifacts/${lonely.artifact_id}`)).statusCode).toBe(404)
    await expect(stat(stray)).rejects.toMatchObject({ code: 'ENOENT' })
    const told = await readEvents(api.store.engine, { name: 'stateward.artifact.deleted', limit: 100 })
    expect(told.map(({ resource }) => resource?.id)).toEqual(
      expect.arrayContaining([old.artifact_id, lonely.artifact_id]),
    )
  })
})

describe('the log of a run', () => {
  it('becomes an artifact at its end, which its steps name', async () => {
    const tools = functionTools({
      'say.it': {
        run: (_call, { log }) => {
          log('hello')
          return { said: true }
        },
      },
      'say.nothing': { run: () => ({}) },
    })
    const dataDir = join(folder, 'data')
    const ended = Promise.withResolvers<void>()
    const logs = runLogs({ ...deps(), fileOf: (id) => runLogFile(dataDir, id), written: () => stack.folders.settled() })
    const stack = startRunStack(api.store, tools, {
      dataDir,
      ended: (id) => {
        logs.ended(id)
        ended.resolve()
      },
    })
    const plan = [
      { id: 'talk', kind: 'action_task', action: 'say.it' },
      { id: 'quiet', kind: 'action_task', action: 'say.nothing' },
    ]
    const runId = await stack.start(blueprintOf('talking', { plan } as never))
    const { name } = await untilEnded(api.store, runId)
    await ended.promise
    await logs.settled()
    logs.ended(runId)
    await logs.settled()
    await stack.stop()

    const { items } = (await api.server.app.inject(`/api/v1/artifacts?run_id=${name}`)).json()
    expect(items).toMatchObject([{ name: `${name}.log`, kind: 'log', run_id: runId, created_by: 'system:controller' }])
    const text = (await api.server.app.inject(`/api/v1/artifacts/${items[0].artifact_id}/download`)).payload
    expect(JSON.parse(text)).toMatchObject({ step: 'talk', line: 'hello' })
    const steps = (await api.server.app.inject(`/api/v1/runs/${name}/steps`)).json().items
    expect(steps.map(({ logs_artifact_id: id }: { logs_artifact_id: string | null }) => id)).toEqual([
      items[0].artifact_id,
      null,
    ])
  })
})
