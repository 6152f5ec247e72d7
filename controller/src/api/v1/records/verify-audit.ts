import { Readable } from 'node:stream'
import Type, { type Static } from 'typebox'
import { type LogVerdict, type VerifyOptions, verifyLog } from '../../../store/log.ts'
import { route } from '../../http/route.ts'
import { SAMPLE } from '../samples.ts'
import { Nullable, only } from '../schemas.ts'

const AuditVerdict = Type.Object(
  {
    ok: Type.Boolean(),
    batches: Nullable(Type.Integer({ description: 'batches whose hash was recomputed' })),
    events: Nullable(Type.Integer({ description: 'rows that were compared with their digest' })),
    first_held_seq: Nullable(Type.Integer({ description: 'events below it were dropped by retention' })),
    seq: Type.Integer({
      description: 'the head of the log; of a log that was altered, the first number that is wrong',
    }),
    hash: Nullable(Type.String({ description: 'the chain at the head, lower-case hex' })),
    fault: Nullable(
      Type.String({ description: 'row_altered, row_missing, batch_altered, chain_broken or head_altered' }),
    ),
    message: Nullable(Type.String()),
  },
  { title: 'AuditVerdict' },
)

export const verifyAudit = route({
  operation: 'verifyAudit',
  method: 'GET',
  path: '/api/v1/audit/verify',
  tag: 'records',
  access: 'audit.verify',
  summary: 'Verify the log',
  description:
    'Recomputes the hash chain of the log and compares every event that is held with its digest. Takes a while on a long log.',
  query: only({
    stream: Type.Boolean({
      default: false,
      description: 'one JSON object a line: {seq, of} while it goes on, the verdict last',
    }),
  }),
  answers: { 200: AuditVerdict },
  example: {
    answer: {
      ok: true,
      batches: 812,
      events: 4711,
      first_held_seq: 1,
      seq: 4711,
      hash: SAMPLE.digest,
      fault: null,
      message: null,
    },
  },
  async stream(reply, { query, signal }, { store }) {
    const verify = (options: VerifyOptions) => verifyLog(store.reader, { ...options, signal })
    if (!query.stream) return reply.send(verdictDto(await verify({})))
    return reply
      .type('application/x-ndjson; charset=utf-8')
      .header('cache-control', 'no-store')
      .send(Readable.from(lines(verify), { objectMode: false }))
  },
})

async function* lines(verify: (options: VerifyOptions) => Promise<LogVerdict>): AsyncGenerator<string> {
  let latest: { readonly seq: number; readonly of: number } | null = null
  let tell = (): void => {}
  const verdict = verify({
    onProgress(progress) {
      latest = progress
      tell()
    },
  })
  // Its failure is thrown below; until then nobody awaits it.
  verdict.catch(() => {})
  const ended = verdict.then(
    () => true,
    () => true,
  )
  for (;;) {
    const moved = new Promise<false>((resolve) => {
      tell = () => resolve(false)
    })
    if (await Promise.race([ended, moved])) break
    yield `${JSON.stringify(latest)}\n`
  }
  yield `${JSON.stringify(verdictDto(await verdict))}\n`
}

function verdictDto(verdict: LogVerdict): Static<typeof AuditVerdict> {
  if (!verdict.ok) {
    const { fault, seq, message } = verdict
    return { ok: false, batches: null, events: null, first_held_seq: null, seq, hash: null, fault, message }
  }
  const { batches, events, firstHeld, seq, hash } = verdict
  return { ok: true, batches, events, first_held_seq: firstHeld, seq, hash, fault: null, message: null }
}
