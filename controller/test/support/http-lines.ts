/** A streaming response, read line by line. */
export interface LineReader {
  readonly status: number
  readonly headers: Headers
  /** The next line that is not empty, or null at the end; throws when nothing comes in time. */
  next(): Promise<string | null>
  close(): void
}

export async function openLines(url: string, headers: Record<string, string> = {}): Promise<LineReader> {
  const abort = new AbortController()
  const response = await fetch(url, { headers, signal: abort.signal })
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  let buffer = ''
  let ended = false
  const next = async (): Promise<string | null> => {
    for (;;) {
      const end = buffer.indexOf('\n')
      if (end !== -1) {
        const line = buffer.slice(0, end)
        buffer = buffer.slice(end + 1)
        if (line !== '') return line
        continue
      }
      if (ended) return null
      const { done, value } = await inTime(reader.read())
      if (done) ended = true
      else buffer += value
    }
  }
  return { status: response.status, headers: response.headers, next, close: () => abort.abort() }
}

function inTime<T>(promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('nothing came within 10 s')), 10_000)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}
