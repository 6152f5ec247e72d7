import Type, { type Static } from 'typebox'
import { logHead } from '../../../store/log.ts'
import { type BatchRow, firstHeldSeq, lastBatches } from '../../../store/queries/log-batches.ts'
import { decodeCursor, pageBody } from '../../http/cursor.ts'
import { route } from '../../http/route.ts'
import { SAMPLE, samplePage } from '../samples.ts'
import { only, PageQuery, pageOf, Uuid } from '../schemas.ts'

const Hash = Type.String({ description: 'sha256, lower-case hex' })

const LogBatch = Type.Object(
  {
    writer: { ...Uuid, description: 'the process that wrote it' },
    n: Type.Integer({ description: 'its number among the batches of that process' }),
    first_seq: Type.Integer(),
    last_seq: Type.Integer(),
    digest: { ...Hash, description: 'sha256 over the digests of its events, in order' },
    hash: { ...Hash, description: 'the chain: sha256 of the hash of the batch before it, then the digest' },
  },
  { title: 'LogBatch' },
)

const Page = Type.Object(
  {
    ...pageOf(LogBatch).properties,
    head: Type.Object({ seq: Type.Integer(), hash: Hash }, { description: 'where the log ends at this moment' }),
    first_held_seq: Type.Integer({ description: 'events below it were dropped by retention; their batches stay' }),
  },
  { title: 'LogBatches' },
)

const sample: Static<typeof LogBatch> = {
  writer: SAMPLE.host,
  n: 812,
  first_seq: 4709,
  last_seq: 4711,
  digest: SAMPLE.digest,
  hash: SAMPLE.digest,
}

export const listBatches = route({
  operation: 'listLogBatches',
  method: 'GET',
  path: '/api/v1/audit/batches',
  tag: 'records',
  access: 'read',
  summary: 'List the batches of the log with their hashes, the newest first',
  description:
    'Whoever has them can recompute the chain, and compare its end with the trailer `Stateward-Log` of a status commit.',
  query: only(PageQuery),
  answers: { 200: Page },
  example: {
    query: { limit: 20 },
    answer: { ...samplePage(sample), head: { seq: 4711, hash: SAMPLE.digest }, first_held_seq: 1 },
  },
  async answer({ query, correlationId }, { store: { reader } }) {
    const [before = null] = query.cursor === undefined ? [] : decodeCursor(query.cursor, ['number'])
    const [rows, head, held] = await Promise.all([
      lastBatches(reader, { before, limit: query.limit + 1 }),
      logHead(reader),
      firstHeldSeq(reader),
    ])
    const page = pageBody(rows, { limit: query.limit, correlationId }, (last) => [last.last_seq], batchDto)
    return { ...page, head, first_held_seq: held }
  },
})

function batchDto({ digest, hash, ...row }: BatchRow): Static<typeof LogBatch> {
  return { ...row, digest: digest.toString('hex'), hash: hash.toString('hex') }
}
