import { connect, type Socket } from 'node:net'
import { answer } from '../support/child-process.ts'
import { machineSeconds } from '../support/clock.ts'

/** One kind of request, sent over and over on so many connections, each waiting for its answer. */
export interface Load {
  readonly url: string
  readonly path: string
  /** Who asks for what; connections take them in turn. `$n` in a body becomes a number of its own. */
  readonly callers: readonly { readonly headers: Readonly<Record<string, string>>; readonly body: string }[]
  readonly status: number
  readonly connections: number
  readonly warmupSeconds: number
  readonly seconds: number
}

export interface LoadResult {
  readonly requests_per_second: number
  /** Those of the warm-up, too. */
  readonly requests: number
  readonly p50_seconds: number
  readonly p99_seconds: number
}

answer(async (message) => (await measure(message as Load)) as unknown as object)

/** Requests as bytes and answers by their length: what the client costs is the client's, not the server's. */
async function measure(load: Load): Promise<LoadResult> {
  const begin = machineSeconds() + load.warmupSeconds
  const end = begin + load.seconds
  const times: number[] = []
  let n = 0
  await Promise.all(
    Array.from({ length: load.connections }, async (_, i) => {
      const caller = load.callers[i % load.callers.length]!
      const line = await openLine(load, caller.headers)
      for (let now = machineSeconds(); now < end; ) {
        n += 1
        await line.ask(caller.body.replaceAll('$n', String(n)))
        const done = machineSeconds()
        if (now >= begin && done <= end) times.push(done - now)
        now = done
      }
      line.close()
    }),
  )
  times.sort((a, b) => a - b)
  const at = (share: number): number =>
    times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? Number.NaN
  return { requests: n, requests_per_second: times.length / load.seconds, p50_seconds: at(0.5), p99_seconds: at(0.99) }
}

interface Line {
  ask(body: string): Promise<void>
  close(): void
}

async function openLine(load: Load, headers: Readonly<Record<string, string>>): Promise<Line> {
  const { hostname, port, host } = new URL(load.url)
  const socket: Socket = connect(Number(port), hostname)
  socket.setNoDelay(true)
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject))
  const head =
    `POST ${load.path} HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\n` +
    Object.entries(headers)
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('')
  const expected = `HTTP/1.1 ${load.status}`
  let waiting: { resolve: () => void; reject: (error: Error) => void } | null = null
  let received = Buffer.alloc(0)
  socket.on('data', (chunk) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk])
    const headEnd = received.indexOf('\r\n\r\n')
    if (headEnd === -1) return
    const text = received.toString('latin1', 0, headEnd)
    const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0)
    if (received.length < headEnd + 4 + length) return
    const whole = received.toString('utf8')
    received = received.subarray(headEnd + 4 + length)
    const { resolve, reject } = waiting!
    waiting = null
    if (text.startsWith(expected)) resolve()
    else reject(new Error(whole))
  })
  socket.on('error', (error) => waiting?.reject(error))
  socket.on('close', () => waiting?.reject(new Error('the server closed the connection')))
  return {
    ask: (body) =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject }
        socket.write(`${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
      }),
    close() {
      waiting = null
      socket.destroy()
    },
  }
}
