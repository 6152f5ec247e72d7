import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Context } from '@restatedev/restate-sdk'
import { type Servers, STEPS, serve } from '../serve.ts'

/** A server of its own with one partition, which is the fastest on few cores; its log is fsynced. The service runs in this process. */

// Read when the module is loaded: a line of log for every invocation would be measured, too.
process.env['RESTATE_LOGGING'] = 'ERROR'
const restate = await import('@restatedev/restate-sdk')

const PORTS = { service: 29_080, ingress: 28_080, admin: 29_070, node: 25_122 }

serve(async ({ folder }: Servers) => {
  const service = restate.service({
    name: 'bench',
    handlers: {
      async run(context: Context) {
        for (let k = 0; k < STEPS; k++) await context.run(`s${k}`, async () => ({ ok: true, k, msg: 'done' }))
      },
    },
  })
  await restate.serve({ services: [service], port: PORTS.service })
  const output = openSync(join(folder, 'restate.log'), 'a')
  const require = createRequire(import.meta.url)
  const program = join(dirname(require.resolve('@restatedev/restate-server/package.json')), 'lib', 'index.js')
  const server = spawn(process.execPath, [program, '--base-dir', join(folder, 'restate'), '--node-name', 'bench'], {
    stdio: ['ignore', output, output],
    env: {
      ...process.env,
      RESTATE_BIND_ADDRESS: `127.0.0.1:${PORTS.node}`,
      RESTATE_INGRESS__BIND_ADDRESS: `127.0.0.1:${PORTS.ingress}`,
      RESTATE_ADMIN__BIND_ADDRESS: `127.0.0.1:${PORTS.admin}`,
      RESTATE_DEFAULT_NUM_PARTITIONS: '1',
      RESTATE_DISABLE_TELEMETRY: 'true',
    },
  })
  closeSync(output)
  const ended = new Promise((resolve) => server.once('exit', resolve))
  await untilReady(`http://127.0.0.1:${PORTS.admin}/health`, () => server.exitCode === null)
  await post(`http://127.0.0.1:${PORTS.admin}/deployments`, { uri: `http://127.0.0.1:${PORTS.service}` })
  await untilReady(`http://127.0.0.1:${PORTS.ingress}/restate/health`, () => server.exitCode === null)
  return {
    pids: [server.pid!],
    run: async () => {
      await post(`http://127.0.0.1:${PORTS.ingress}/bench/run`, null)
    },
    verify: async () => {},
    async stop() {
      server.kill()
      await ended
      setTimeout(() => process.exit(0), 100)
    },
  }
})

async function post(url: string, body: unknown): Promise<void> {
  const options = body === null ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
  const reply = await fetch(url, { method: 'POST', ...options })
  const text = await reply.text()
  if (!reply.ok) throw new Error(`${url} answered ${reply.status}: ${text}`)
}

async function untilReady(url: string, isAlive: () => boolean): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    if (!isAlive()) throw new Error('the server ended')
    const reply = await fetch(url).catch(() => null)
    if (reply?.ok === true) return
    await delay(100)
  }
  throw new Error(`${url} did not answer`)
}
