import { createHmac } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { SMTPServer } from 'smtp-server'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../support/agent-fleet.ts'
import { manifest } from '../support/state-files.ts'
import { createInstallation, type Installation } from '../support/stateward.ts'

interface Received {
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** Answers with the statuses it is told, the last one again and again. */
function receiver(statuses: number[]) {
  const received: Received[] = []
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      received.push({ headers: request.headers, body })
      response.writeHead(statuses.length > 1 ? statuses.shift()! : statuses[0]!)
      response.end()
    })
  })
  return { server, received, statuses }
}
const urlOf = (server: Server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`

let hook: ReturnType<typeof receiver>
let mails: { from: string; to: string[]; user: string; message: string }[]
let smtp: SMTPServer
beforeAll(async () => {
  hook = receiver([204])
  await new Promise<void>((resolve) => hook.server.listen(0, '127.0.0.1', resolve))
  mails = []
  smtp = new SMTPServer({
    authOptional: false,
    allowInsecureAuth: true,
    disabledCommands: ['STARTTLS'],
    onAuth: ({ username, password }, _session, done) =>
      password === 'smtp-password' ? done(null, { user: String(username) }) : done(new Error('no')),
    onData(stream, { envelope, user }, done) {
      void text(stream).then((message) => {
        const from = envelope.mailFrom === false ? '' : envelope.mailFrom.address
        mails.push({ from, to: envelope.rcptTo.map(({ address }) => address), user: String(user), message })
        done()
      })
    },
  })
  await new Promise<void>((resolve) => smtp.listen(0, '127.0.0.1', () => resolve()))
})
afterAll(async () => {
  hook.server.close()
  await new Promise<void>((resolve) => smtp.close(() => resolve()))
})

const open: Installation[] = []
async function started(files: Parameters<Installation['apply']>[0]): Promise<Installation> {
  hook.received.length = 0
  hook.statuses.splice(0, hook.statuses.length, 204)
  mails.length = 0
  const here = await createInstallation(files)
  open.push(here)
  for (const [path, value] of [
    ['hooks/on-call', 'signing-key'],
    ['mail/password', 'smtp-password'],
  ] as const) {
    const file = join(here.dataDir, 'secrets', path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, value, { mode: 0o600 })
  }
  await here.start()
  return here
}
afterEach(async () => {
  for (const here of open.splice(0)) await here.end()
})

const route = (name: string, spec: object) =>
  manifest('NotificationRoute', name, { eventNames: ['checkmk.*'], provider: 'console', ...spec })
const webhook = (spec: object = {}) =>
  route('on-call', {
    provider: 'webhook',
    webhook: { url: urlOf(hook.server), headers: { 'x-team': 'ops' } },
    secretRef: { name: 'hooks', key: 'on-call' },
    ...spec,
  })
const emit = (here: Installation, event_name: string, data: object = {}) =>
  here.post('/api/v1/events', { event_name, data })
const deliveries = async (here: Installation, query = '') =>
  (await here.ask('GET', `/api/v1/notifications${query}`)).body['items'] as Record<string, unknown>[]

describe('a webhook', () => {
  it('gets the event, signed, once for the same news', async () => {
    const here = await started({ 'r.yaml': webhook() })
    await here.untilCondition('NotificationRoute/default/on-call', 'Ready', 'True')
    for (let i = 0; i < 3; i++) await emit(here, 'checkmk.alert', { name: 'web-1', n: i })
    await emit(here, 'checkmk.alert', { name: 'web-2' })
    await emit(here, 'other.alert')
    await until('two deliveries', () => hook.received.length >= 2)
    await until('they are counted', async () => (await deliveries(here)).some(({ suppressed }) => suppressed === 2))
    expect(hook.received).toHaveLength(2)
    // Those that are due together go together, in any order.
    const { headers, body } = hook.received.find((one) => one.body.includes('web-1'))!
    const signed = createHmac('sha256', 'signing-key')
      .update(`${headers['x-stateward-timestamp']}.${body}`)
      .digest('hex')
    expect(headers['x-stateward-signature']).toBe(`sha256=${signed}`)
    expect(headers['x-team']).toBe('ops')
    expect(JSON.parse(body)).toMatchObject({
      delivery_id: headers['x-stateward-delivery'],
      route: 'default/on-call',
      severity: 'info',
      event: { type: 'checkmk.alert', environment: 'default', data: { name: 'web-1', n: 0 } },
    })
    expect((await deliveries(here)).map(({ state, attempts }) => [state, attempts])).toEqual([
      ['delivered', 1],
      ['delivered', 1],
    ])
  })

  it('that fails is tried again with the same delivery, and one that is gone is not', async () => {
    const here = await started({ 'r.yaml': webhook({ dedupeWindow: '0s' }) })
    hook.statuses.splice(0, hook.statuses.length, 503, 204)
    await emit(here, 'checkmk.alert')
    await until('the second attempt', () => hook.received.length === 2)
    const ids = hook.received.map(({ headers }) => headers['x-stateward-delivery'])
    expect(ids[0]).toBe(ids[1])
    await until('it arrived', async () => (await deliveries(here, '?state=delivered')).length === 1)
    hook.statuses.splice(0, hook.statuses.length, 410)
    await emit(here, 'checkmk.gone')
    const [dead] = await until('given up', async () => {
      const found = await deliveries(here, '?state=dead')
      return found.length === 1 ? found : null
    })
    expect(dead).toMatchObject({ attempts: 1, problem: 'the receiver answered 410', event_name: 'checkmk.gone' })
    const told = (await here.events()).filter(({ event_name }) => event_name === 'stateward.notification.abandoned')
    expect(told).toMatchObject([{ data: { route: 'on-call', notified_event: 'checkmk.gone' } }])

    hook.statuses.splice(0, hook.statuses.length, 200)
    const path = `/api/v1/notifications/${dead!['delivery_id']}/retry`
    expect((await here.post(path, {})).status).toBe(202)
    await until('it arrived after all', async () => (await deliveries(here, '?state=dead')).length === 0)
    await until('delivered', async () => (await deliveries(here, '?state=delivered')).length === 2)
    expect((await here.post(path, {})).status).toBe(409)
  })

  it('gets what was not delivered when the process went away', async () => {
    const here = await started({ 'r.yaml': webhook() })
    hook.statuses.splice(0, hook.statuses.length, 503)
    await emit(here, 'checkmk.alert')
    await until('the first attempt', async () => (await deliveries(here))[0]?.['attempts'] === 1)
    await here.stop()
    hook.statuses.splice(0, hook.statuses.length, 204)
    const before = hook.received.length
    await here.start()
    await until('another attempt', () => hook.received.length > before)
    await until('it arrived', async () => (await deliveries(here, '?state=delivered')).length === 1)
  })

  it('without its key says so and is tried again', async () => {
    const here = await started({ 'r.yaml': webhook({ secretRef: { name: 'no', key: 'key' } }) })
    await here.untilCondition('NotificationRoute/default/on-call', 'Ready', 'False', 'SecretMissing')
    await emit(here, 'checkmk.alert')
    const [row] = await until('an attempt', async () => {
      const found = await deliveries(here)
      return found[0]?.['attempts'] === 1 ? found : null
    })
    expect(row).toMatchObject({ state: 'pending', problem: expect.stringContaining('not there: secret no/key') })
    expect(hook.received).toEqual([])
  })

  it('gets no more in a minute than its limit', async () => {
    const here = await started({ 'r.yaml': webhook({ dedupeWindow: '0s', maxPerMinute: 3 }) })
    for (let i = 0; i < 8; i++) await emit(here, 'checkmk.alert', { name: `web-${i}` })
    const last = await until('all are taken', async () => {
      const rows = await deliveries(here)
      return rows.reduce((sum, { suppressed }) => sum + Number(suppressed), rows.length) === 8 ? rows : null
    })
    expect(last).toHaveLength(3)
  })
})

describe('other providers', () => {
  it('email goes over SMTP with its password', async () => {
    const { port } = smtp.server.address() as AddressInfo
    const email = {
      to: ['a@example.com', 'b@example.com'],
      from: 'fleet@example.com',
      host: '127.0.0.1',
      port,
      user: 'fleet',
    }
    const secretRef = { name: 'mail', key: 'password' }
    const here = await started({
      'r.yaml': route('mail', { provider: 'email', email, secretRef, severity: 'warning' }),
    })
    await emit(here, 'checkmk.created')
    await emit(here, 'checkmk.check_failed', { name: 'web-1', message: 'disk full' })
    const mail = await until('the mail', () => mails[0] ?? null)
    expect(mail).toMatchObject({ from: 'fleet@example.com', to: ['a@example.com', 'b@example.com'], user: 'fleet' })
    expect(mail.message).toMatch(/^Subject: \[warning\] checkmk\.check_failed/m)
    expect(mail.message).toContain('disk full')
    expect(mails).toHaveLength(1)
  })

  it('the console is the log, and sse an event of its own', async () => {
    const here = await started({ 'r.yaml': [route('console', {}), route('stream', { provider: 'sse' })].join('---\n') })
    await emit(here, 'checkmk.alert', { name: 'web-1' })
    const line = await until('the line', () => here.log.find(({ msg }) => msg === 'notification') ?? null)
    expect(line).toMatchObject({ route: 'default/console', event: 'checkmk.alert', data: { name: 'web-1' } })
    const posted = await until(
      'the event',
      async () =>
        (await here.events()).find(({ event_name }) => event_name === 'stateward.notification.posted') ?? null,
    )
    expect(posted.data).toMatchObject({ route: 'stream', notified_event: 'checkmk.alert', data: { name: 'web-1' } })
  })

  it('a test is sent over a route that is there', async () => {
    const here = await started({ 'r.yaml': webhook() })
    expect((await here.post('/api/v1/notifications/test', { route: 'nobody' })).status).toBe(404)
    const { status, body } = await here.post('/api/v1/notifications/test', { route: 'on-call' })
    expect([status, body['state']]).toEqual([202, 'pending'])
    await until('it arrived', () => hook.received.length === 1)
    expect(JSON.parse(hook.received[0]!.body).event.type).toBe('notification.test')
  })
})

describe('the built-in route', () => {
  const alerts = async (here: Installation) =>
    ((await here.ask('GET', '/api/v1/alerts')).body['items'] as Record<string, unknown>[]).filter(
      ({ rule }) => rule === 'default-notification-route',
    )

  it('opens one alert for the same failure, under any prefix', async () => {
    const here = await started({})
    for (const name of [
      'xyn.infra.dns.failed',
      'xyn.infra.dns.failed',
      'acme.pack.validation_failed',
      'acme.pack.created',
    ])
      await emit(here, name, { message: 'no route to host' })
    const found = await until('the alerts', async () => {
      const rows = await alerts(here)
      return rows.length === 2 && rows.some(({ count }) => count === 2) ? rows : null
    })
    expect(found.map(({ title, severity, message }) => [title, severity, message]).sort()).toEqual([
      ['acme.pack.validation_failed', 'warning', 'no route to host'],
      ['xyn.infra.dns.failed', 'warning', 'no route to host'],
    ])
  })

  it('steps back for a route named default', async () => {
    const here = await started({ 'r.yaml': route('default', { eventNames: ['*.failed'] }) })
    await emit(here, 'xyn.backup.failed')
    await until('the line', () => here.log.some(({ msg }) => msg === 'notification'))
    expect(await alerts(here)).toEqual([])
  })
})
