import { closeSync, openSync, writeSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

/**
 * What the tools of a crash test act upon, as a process of its own that nobody kills: every effect becomes a line of JSON
 * at the end of a file, whatever Stateward remembers of it. Argument: the file. Prints its port.
 *
 *   POST|PUT /once|again?before=ms&after=ms   the effect, some time after the request and some time before the answer
 *   POST /flaky?refuse=n                      refuses (503, no effect) the first n calls of a step
 *
 * The body names run and step; `Idempotency-Key` is the operation, where the tool sends one.
 */
const file = process.argv[2] ?? ''
const refused = new Map<string, number>()

/** One write with O_APPEND: lines of several writers never mix. */
function append(line: object): void {
  const descriptor = openSync(file, 'a')
  writeSync(descriptor, `${JSON.stringify(line)}\n`)
  closeSync(descriptor)
}

async function bodyOf(request: IncomingMessage): Promise<{ run: string; step: string }> {
  let text = ''
  for await (const chunk of request) text += chunk
  return JSON.parse(text)
}

const server = createServer(async (request, response) => {
  const url = new URL(request.url ?? '/', 'http://observer')
  const { run, step } = await bodyOf(request)
  const operation = request.headers['idempotency-key'] ?? null
  const kind = url.pathname.slice(1)
  const place = `${run}/${step}`
  const times = refused.get(place) ?? 0
  if (times < Number(url.searchParams.get('refuse') ?? 0)) {
    refused.set(place, times + 1)
    response.writeHead(503).end()
    return
  }
  await delay(Number(url.searchParams.get('before') ?? 0))
  append({ kind, operation, run, step })
  await delay(Number(url.searchParams.get('after') ?? 0))
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ done: place }))
})
server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`))
