import { connect } from 'node:net'
import { answer } from '../support/child-process.ts'
import { machineSeconds } from '../support/clock.ts'

export type StreamOrder =
  | { readonly kind: 'open'; readonly url: string; readonly tokens: readonly string[]; readonly clients: number }
  /** What came since the last time. */
  | { readonly kind: 'figures' }

export interface StreamFigures {
  readonly deliveries: number
  readonly p50_seconds: number
  readonly p99_seconds: number
  readonly max_seconds: number
  readonly open: number
}

let times: number[] = []
let open = 0

answer(async (message) => {
  const order = message as StreamOrder
  if (order.kind === 'open') {
    const each = Array.from({ length: order.clients }, (_, i) =>
      openStream(order.url, order.tokens[i % order.tokens.length]!),
    )
    await Promise.all(each)
    return { open }
  }
  const sorted = Float64Array.from(times).sort()
  times = []
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
  return { deliveries: sorted.length, p50_seconds: at(0.5), p99_seconds: at(0.99), max_seconds: at(1), open }
})

/** One client of the stream for pages. Events carry when they were sent, on the clock of this machine. */
function openStream(url: string, token: string): Promise<void> {
  const { hostname, port, host } = new URL(url)
  const socket = connect(Number(port), hostname)
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.write(`GET /events/ui HTTP/1.1\r\nhost: ${host}\r\nauthorization: Bearer ${token}\r\n\r\n`)
    let isOpen = false
    let rest = ''
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => {
      const now = machineSeconds()
      if (!isOpen) {
        if (!chunk.startsWith('HTTP/1.1 200')) return reject(new Error(chunk))
        isOpen = true
        open += 1
        resolve()
      }
      const text = rest + chunk
      for (let at = text.indexOf('"sent_at_s":'); at !== -1; at = text.indexOf('"sent_at_s":', at + 1)) {
        const end = text.indexOf('}', at)
        if (end === -1) {
          rest = text.slice(at)
          return
        }
        times.push(now - Number(text.slice(at + 12, end)))
      }
      rest = text.slice(-11)
    })
    socket.on('close', () => {
      if (isOpen) open -= 1
    })
  })
}
