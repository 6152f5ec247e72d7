import Type from 'typebox'
import type { LedgerRequest } from '../../../agents/ledger-wire.ts'
import { route } from '../../http/route.ts'
import { SAMPLE } from '../samples.ts'
import { Name, Nullable, only, Time, Uuid } from '../schemas.ts'
import { HostParams } from './host-dto.ts'
import { ownHost } from './own-host.ts'

const Int = Type.Integer({ minimum: 0, maximum: 2_147_483_647 })
const Ids = Type.Array(Uuid, { maxItems: 10_000 })
const Short = Type.String({ minLength: 1, maxLength: 253 })
const ExitCode = Nullable(Type.Integer({ minimum: 0, maximum: 255 }))
const Pid = Type.Integer({ minimum: 1, maximum: 2_147_483_647 })
const StopReason = Type.Enum(['deleted', 'scaled', 'replaced', 'moved', 'terminated', 'stopped', 'shutdown'])
const EndReason = Type.Enum([
  'deleted',
  'scaled',
  'replaced',
  'moved',
  'terminated',
  'stopped',
  'shutdown',
  'exited',
  'heartbeat',
  'lost',
  'not_started',
  'orphaned',
])
const Row = only({
  id: Uuid,
  agentUid: Uuid,
  namespace: Name,
  agent: Name,
  ordinal: Int,
  mode: Type.Enum(['daemon', 'perTask']),
  slots: Int,
  launchDigest: Type.String({ maxLength: 128 }),
  tokenSha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  restartCount: Int,
  crashCount: Int,
})
const TaskError = only({
  code: Type.String({ maxLength: 253 }),
  message: Type.String({ maxLength: 8192 }),
  retryable: Type.Boolean(),
})
const Verdict = Type.Union([
  only({ type: Type.Literal('nothing') }),
  only({ type: Type.Literal('give-back'), why: Type.String({ maxLength: 4096 }) }),
  only({
    type: Type.Literal('settle'),
    outcome: Type.Union([
      only({ status: Type.Literal('completed'), output: Type.Unknown(), sanitized: Type.Boolean() }),
      only({ status: Type.Literal('failed'), error: TaskError, sanitized: Type.Boolean() }),
    ]),
  }),
])
const Process = { id: Uuid, pid: Pid, start: Type.String({ minLength: 1, maxLength: 128 }) }

const Request = Type.Union([
  only({ op: Type.Literal('look'), agent_uid: Uuid, replicas: Int }),
  only({ op: Type.Literal('living') }),
  only({ op: Type.Literal('lost') }),
  only({ op: Type.Literal('used_slots') }),
  only({ op: Type.Literal('tasks_of'), instance_ids: Ids }),
  only({ op: Type.Literal('queue'), instance_ids: Ids }),
  only({ op: Type.Literal('ended_before'), instance_ids: Ids, before: Time }),
  only({ op: Type.Literal('insert'), row: Row }),
  only({ op: Type.Literal('claim'), row: Row }),
  only({ op: Type.Literal('started'), ...Process }),
  only({ op: Type.Literal('adopted'), ...Process }),
  only({ op: Type.Literal('draining'), id: Uuid, reason: StopReason }),
  only({ op: Type.Literal('not_started'), id: Uuid, message: Type.String({ maxLength: 4096 }) }),
  only({ op: Type.Literal('ended'), id: Uuid, exit_code: ExitCode, reason: EndReason, pid: Nullable(Pid) }),
  only({
    op: Type.Literal('command_ended'),
    id: Uuid,
    exit_code: ExitCode,
    reason: EndReason,
    attempt: Nullable(only({ task_id: Uuid, attempt: Int })),
    verdict: Verdict,
  }),
  only({ op: Type.Literal('report'), agent_uid: Uuid, report: Type.Unknown() }),
  only({ op: Type.Literal('secret'), name: Short, key: Short }),
])

/** A result of a command is 1 MiB at most; as JSON it may be several times that. */
const BODY_LIMIT = 8 * 1024 * 1024

export const askHostLedger = route({
  operation: 'askHostLedger',
  method: 'POST',
  path: '/api/v1/hosts/{host}/ledger',
  tag: 'hosts',
  access: 'host.work',
  summary: 'Read or record something about the agents of a host',
  description:
    'What a supervisor next to the database would do as one transaction, `request.op` names which. 409 when the session is over.',
  idempotency: false,
  isCounted: false,
  bodyLimit: BODY_LIMIT,
  params: HostParams,
  body: only({ session: Uuid, request: Request }, { title: 'HostLedgerRequest' }),
  answers: { 200: Type.Object({ result: Type.Unknown() }, { title: 'HostLedgerAnswer' }) },
  example: {
    params: { host: 'web-1' },
    body: { session: SAMPLE.host, request: { op: 'started', id: SAMPLE.instance, pid: 4711, start: '1234567' } },
    answer: { result: null },
  },
  async answer({ principal, params, body }, { services }) {
    const host = ownHost(principal, params.host)
    return { result: await services.hosts.ledger(host, body.session, body.request as LedgerRequest) }
  },
})
