import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { git, tipOf } from './git-remote.ts'

interface Pull {
  readonly number: number
  readonly title: string
  readonly body: string
  readonly branch: string
  state: 'open' | 'closed'
  merged: boolean
  readonly comments: { readonly id: number; body: string }[]
}

export interface GithubServer {
  readonly apiUrl: string
  readonly pulls: Pull[]
  readonly checks: {
    readonly head_sha: string
    readonly conclusion: string
    readonly output: { readonly title: string }
  }[]
  readonly statuses: { readonly sha: string; readonly state: string; readonly description: string }[]
  /** `POST /repos/…` in the order they came. */
  readonly requests: string[]
  /** Answers the next requests, as many as there are, before anything else is done with them. */
  readonly failures: { readonly status: number; readonly headers?: Record<string, string>; readonly message: string }[]
  /** Check runs are for apps only. */
  readonly forbidChecks: { value: boolean }
  close(): Promise<void>
}

export const GITHUB_TOKEN = 'a-token-of-a-local-server'

/** A server that speaks GitHub's REST shapes for one repository, `team/state`, whose branches are those of a real bare one. */
export async function serveGithub(repository: string): Promise<GithubServer> {
  const pulls: Pull[] = []
  const checks: GithubServer['checks'] = []
  const statuses: GithubServer['statuses'] = []
  const requests: string[] = []
  const failures: GithubServer['failures'] = []
  const forbidChecks = { value: false }
  let ids = 100
  const shown = (pull: Pull) => ({
    number: pull.number,
    html_url: `https://github.example/team/state/pull/${pull.number}`,
    state: pull.state,
    title: pull.title,
    user: { login: 'stateward-bot' },
    head: { ref: pull.branch, sha: tipOf(repository, pull.branch) },
  })

  async function answer(
    request: IncomingMessage,
  ): Promise<{ status: number; body: unknown; headers?: Record<string, string> }> {
    const url = new URL(request.url ?? '/', 'http://local')
    const path = url.pathname.replace(/^\/repos\/team\/state/, '')
    requests.push(`${request.method} ${path}`)
    const failure = failures.shift()
    if (failure !== undefined)
      return { status: failure.status, body: { message: failure.message }, headers: failure.headers ?? {} }
    if (request.headers.authorization !== `token ${GITHUB_TOKEN}`)
      return { status: 401, body: { message: 'Bad credentials' } }
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = chunks.length === 0 ? {} : JSON.parse(Buffer.concat(chunks).toString())
    const numbered = pulls.find(({ number }) => path.match(/^\/(?:pulls|issues)\/(\d+)/)?.[1] === String(number))
    if (path === '/pulls' && request.method === 'GET') {
      const [, branch] = (url.searchParams.get('head') ?? '').split(/:(.*)/s)
      return { status: 200, body: pulls.filter((pull) => pull.state === 'open' && pull.branch === branch).map(shown) }
    }
    if (path === '/pulls') {
      if (tipOf(repository, body.head) === null) return { status: 422, body: { message: 'Validation Failed' } }
      const pull: Pull = {
        ...{ number: ++ids, title: body.title, body: body.body, branch: body.head },
        ...{ state: 'open', merged: false, comments: [] },
      }
      pulls.push(pull)
      return { status: 201, body: shown(pull) }
    }
    if (path === '/check-runs') {
      if (forbidChecks.value) return { status: 403, body: { message: 'You must authenticate via a GitHub App.' } }
      checks.push(body)
      return { status: 201, body: { id: ++ids } }
    }
    if (path.startsWith('/statuses/')) {
      statuses.push({ sha: path.slice('/statuses/'.length), ...body })
      return { status: 201, body: {} }
    }
    if (path.startsWith('/issues/comments/')) {
      const comment = pulls.flatMap(({ comments }) => comments).find(({ id }) => path.endsWith(`/${id}`))!
      comment.body = body.body
      return { status: 200, body: comment }
    }
    if (numbered === undefined) return { status: 404, body: { message: 'Not Found' } }
    if (path.endsWith('/comments') && request.method === 'GET') return { status: 200, body: numbered.comments }
    if (path.endsWith('/comments')) {
      const comment = { id: ++ids, body: body.body }
      numbered.comments.push(comment)
      return { status: 201, body: comment }
    }
    if (path.endsWith('/merge')) {
      if (body.sha !== tipOf(repository, numbered.branch))
        return { status: 409, body: { message: 'Head branch was modified.' } }
      numbered.state = 'closed'
      numbered.merged = true
      return {
        status: 200,
        body: {
          sha: mergeInto(repository, numbered.branch, `${body.commit_title}\n\n${body.commit_message}`),
          merged: true,
        },
      }
    }
    numbered.state = body.state ?? numbered.state
    return { status: 200, body: shown(numbered) }
  }

  const server = createServer((request, response) => {
    void answer(request).then(({ status, body, headers = {} }) => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers })
      response.end(JSON.stringify(body))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    ...{ apiUrl: `http://127.0.0.1:${port}`, pulls, checks, statuses, requests, failures, forbidChecks },
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

/** As a forge does it: a merge commit of its own. */
export function mergeInto(repository: string, branch: string, message: string): string {
  const [main, head] = [tipOf(repository, 'main')!, tipOf(repository, branch)!]
  const tree = git(repository, ['merge-tree', '--write-tree', main, head])
  const commit = git(repository, ['commit-tree', tree, '-p', main, '-p', head, '-m', message])
  git(repository, ['update-ref', 'refs/heads/main', commit, main])
  return commit
}

/** Headers and body of a webhook as GitHub signs it. */
export function signedWebhook(event: string, payload: object, secret: string) {
  const body = JSON.stringify(payload)
  const signature = createHmac('sha256', secret).update(body).digest('hex')
  const headers = {
    'x-github-event': event,
    'x-hub-signature-256': `sha256=${signature}`,
    'content-type': 'application/json',
  }
  return { headers, body }
}
