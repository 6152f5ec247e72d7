import { afterAll, beforeAll, expect, it } from 'vitest'
import { runProgram } from '../../src/cli/program.ts'
import { ADMIN_TOKEN } from '../support/api-server.ts'
import { fakeTerminal } from '../support/fake-terminal.ts'
import { type MessagesApi, startMessagesApi } from '../support/messages-api.ts'

let api: MessagesApi
beforeAll(async () => {
  api = await startMessagesApi({ listen: true })
  api.declare('sre', { messages: { roles: ['on-call'], topics: ['deploys'] } })
})
afterAll(() => api.stop())

async function stateward(...argv: string[]): Promise<{ code: number; output: string; errors: string }> {
  const terminal = fakeTerminal({
    cwd: '/',
    now: api.clock.now().toISOString(),
    env: { STATEWARD_SERVER: api.url, STATEWARD_TOKEN: ADMIN_TOKEN },
  })
  const code = await runProgram(argv, terminal)
  return { code, output: terminal.output(), errors: terminal.errors() }
}
const json = async (...argv: string[]) => JSON.parse((await stateward(...argv, '-o', 'json')).output)

it('sends, lists, searches, shows and acknowledges messages', async () => {
  const sent = await stateward('send', 'sre', 'look at', 'nginx', '--subject', 'Alarm', '--values', '{"host":"web-1"}')
  expect(sent).toMatchObject({ code: 0, errors: '' })
  expect(sent.output).toMatch(/^message \S+ was sent to 1 agent\nnext: stateward messages show/)
  const byRole = await json('send', 'role/on-call', 'wake up', '--expires', '1h')
  expect(byRole).toMatchObject({ to: { role: 'on-call' }, expires_at: '2030-01-01T01:00:00.000Z', recipients: 1 })
  expect((await stateward('send', 'topic/deploys', 'v2')).code).toBe(0)
  const list = (await stateward('messages')).output.split('\n')
  expect(list[0]).toMatch(/^ID +FROM +TO +AGE +MESSAGE$/)
  expect(list.slice(1, 4).map((line) => line.split(/ {2,}/).slice(2))).toEqual([
    ['topic/deploys', '0s', 'v2'],
    ['role/on-call', '0s', 'wake up'],
    ['sre', '0s', 'Alarm'],
  ])
  const found = await json('messages', 'search', 'nginx')
  expect(found.items).toHaveLength(1)
  const [{ message_id: id }] = found.items
  expect((await json('messages', 'list', '--topic', 'deploys')).items).toHaveLength(1)
  expect((await json('messages', 'list', '--agent', 'sre')).items).toHaveLength(3)
  const shown = await stateward('messages', 'show', id)
  expect(shown.output).toMatch(/From: +user:/)
  expect(shown.output).toContain('\nlook at nginx\n')
  expect(shown.output).toMatch(/sre +waits +0/)
  expect((await stateward('messages', 'ack', id, '--agent', 'sre')).output).toBe(
    `message ${id} is acknowledged for sre\n`,
  )
  expect((await stateward('messages', 'show', id)).output).toMatch(/sre +acknowledged +0/)
})

it('lists what was given up and hands it out again', async () => {
  expect((await stateward('messages', 'dead')).output).toBe('no dead letters\n')
  const { message_id } = await json('send', 'sre', 'short', '--expires', '5s')
  api.clock.set('2030-01-01T00:00:10.000Z')
  await api.get('/api/v1/messages/poll?agent=sre')
  expect((await stateward('messages', 'dead')).output).toMatch(new RegExp(`${message_id} +sre +0 +0s +expired +short`))
  expect((await stateward('messages', 'redeliver', message_id)).output).toBe(
    `message ${message_id} is handed out again to sre\n`,
  )
})

it('shows what others wrote without obeying it', async () => {
  const { message_id } = await json('send', 'sre', 'red\u001b[31m')
  expect((await stateward('messages', 'show', message_id)).output).not.toContain('\u001b')
})

it('says what it is asked for when it is asked wrongly', async () => {
  expect((await stateward('messages', 'ack', 'x')).errors).toContain('--agent')
  expect((await stateward('messages', 'sing')).errors).toContain('list, search <words>')
  expect((await stateward('send', 'sre')).errors).toContain('say something')
  expect((await stateward('send', 'host/local', 'x')).errors).toContain('an agent, a role or a topic')
  expect(await stateward('send', 'nobody', 'x')).toMatchObject({ code: 1 })
})
