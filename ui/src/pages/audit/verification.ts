import { open } from '../../api/get.ts'
import type { AuditVerdict } from '../../api/reads.ts'

export interface Progress {
  readonly seq: number
  readonly of: number
}

/** Has the server verify its whole log, and tells how far it is. Throws a ReadError when it may not, or is gone. */
export async function verifyLog(onProgress: (progress: Progress) => void, signal: AbortSignal): Promise<AuditVerdict> {
  const response = await open('/api/v1/audit/verify?stream=true', 'application/x-ndjson', signal)
  const reader = (response.body ?? new ReadableStream<Uint8Array<ArrayBuffer>>())
    .pipeThrough(new TextDecoderStream())
    .getReader()
  let rest = ''
  for (;;) {
    const { value, done } = await reader.read()
    const lines = (rest + (value ?? '')).split('\n')
    rest = done ? '' : (lines.pop() ?? '')
    for (const line of lines) {
      if (line === '') continue
      const said = JSON.parse(line) as AuditVerdict | Progress
      if (!('of' in said)) return said
      onProgress(said)
    }
    if (done) throw new Error('the answer ended before the log was verified')
  }
}
