import { verify } from '@octokit/webhooks-methods'
import { fail } from '../../lib/error-catalogue.ts'
import { isObject, valueAt } from '../../lib/json.ts'
import type { ForgeEvent } from './ports.ts'

/** What GitHub sends to a webhook, when its signature (`X-Hub-Signature-256`) is right. */
export async function githubEvent(
  headers: Readonly<Record<string, string | string[] | undefined>>,
  body: Buffer,
  secret: string,
): Promise<ForgeEvent | null> {
  const signature = headers['x-hub-signature-256']
  const name = headers['x-github-event']
  const text = body.toString('utf8')
  if (typeof signature !== 'string' || signature === '')
    throw fail('SW_UNAUTHENTICATED', 'the webhook is not signed', { remedy: 'set its secret at GitHub' })
  if (!(await verify(secret, text, signature)))
    throw fail('SW_UNAUTHENTICATED', 'the signature of the webhook is wrong', {
      remedy: 'set the same secret at GitHub and here: forge/webhook',
    })
  let payload: unknown
  try {
    payload = JSON.parse(text)
  } catch (cause) {
    throw fail('SW_BAD_REQUEST', 'the webhook is not JSON: choose application/json at GitHub', { cause })
  }
  return eventOf(typeof name === 'string' ? name : '', payload)
}

/** Pure. */
export function eventOf(name: string, payload: unknown): ForgeEvent | null {
  if (!isObject(payload)) return null
  const { action } = payload
  const request = payload['pull_request']
  const number = valueAt(request, '/number')
  const branch = valueAt(request, '/head/ref')
  if (name === 'push') return { kind: 'pushed' }
  if (typeof number !== 'number' || typeof branch !== 'string') return null
  if (name === 'pull_request_review' && action === 'submitted') {
    const decision = DECISIONS[String(valueAt(payload, '/review/state'))]
    const [head, login] = [valueAt(payload, '/review/commit_id'), valueAt(payload, '/review/user/login')]
    if (decision === undefined || typeof head !== 'string' || typeof login !== 'string') return null
    const text = valueAt(payload, '/review/body')
    return { kind: 'reviewed', number, branch, head, decision, login, text: typeof text === 'string' ? text : '' }
  }
  if (name !== 'pull_request') return null
  if (action !== 'closed') return { kind: 'pushed' }
  const head = String(valueAt(request, '/head/sha'))
  if (valueAt(request, '/merged') === true)
    return { kind: 'merged', number, branch, head, login: String(valueAt(request, '/merged_by/login')) }
  return { kind: 'closed', number, branch, login: String(valueAt(payload, '/sender/login')) }
}

const DECISIONS: Readonly<Record<string, 'approve' | 'reject'>> = { approved: 'approve', changes_requested: 'reject' }
