import { retry } from '@octokit/plugin-retry'
import { throttling } from '@octokit/plugin-throttling'
import { RequestError } from '@octokit/request-error'
import { Octokit } from '@octokit/rest'
import { fail } from '../../lib/error-catalogue.ts'
import { errorMessage } from '../../lib/errors.ts'
import { githubEvent } from './github-events.ts'
import type { Forge, ForgeCheck } from './ports.ts'

export interface GithubOptions {
  /** `owner/name` */
  readonly repository: string
  /** `https://api.github.com`, or that of an installation of one's own. */
  readonly apiUrl: string
  /** Read each time: tokens are replaced. */
  readonly token: () => Promise<string>
  readonly webhookSecret: () => Promise<string>
  readonly version: string
  /** Waits for the limits of the forge up to this long; then it is SW_FORGE_UNREACHABLE, and tried again later. */
  readonly patienceSeconds: number
}

/** Finds the comment again: whoever else writes into the pull request does not begin like this. */
const MARKER = '<!-- stateward: plan -->'
/** A comment, and the summary of a check, take 65,536 characters. */
const MAX_TEXT = 65_000
const CHECK = 'stateward'

const Client = Octokit.plugin(throttling, retry)

/** Proposals as pull requests of a repository at GitHub. */
export function githubForge(options: GithubOptions): Forge {
  const [owner = '', repo = ''] = options.repository.split('/')
  const here = { owner, repo }

  async function client(): Promise<InstanceType<typeof Client>> {
    const patient = (seconds: number, _request: unknown, _octokit: unknown, retries: number) =>
      retries < 1 && seconds <= options.patienceSeconds
    return new Client({
      auth: await options.token(),
      baseUrl: options.apiUrl,
      userAgent: `stateward/${options.version}`,
      log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
      throttle: { onRateLimit: patient, onSecondaryRateLimit: patient },
      // What is not there, or not allowed, is so the second time, too.
      retry: { doNotRetry: [400, 401, 403, 404, 405, 409, 410, 422, 429, 451], retries: 2 },
    })
  }

  async function asked<T>(what: string, work: (octokit: InstanceType<typeof Client>) => Promise<T>): Promise<T> {
    try {
      return await work(await client())
    } catch (error) {
      throw failureOf(error, what)
    }
  }

  return {
    type: 'github',
    pullRequest: ({ branch, base, title, body }) =>
      asked('open a pull request', async ({ rest }) => {
        const { data } = await rest.pulls.list({
          ...here,
          head: `${owner}:${branch}`,
          base,
          state: 'open',
          per_page: 1,
        })
        const [known] = data
        const found = known ?? (await rest.pulls.create({ ...here, head: branch, base, title, body })).data
        return { number: found.number, url: found.html_url, author: found.user?.login ?? '' }
      }),
    comment: (number, body) =>
      asked('comment', async (octokit) => {
        const { rest } = octokit
        const text = `${MARKER}\n${cut(body)}`
        const comments = await octokit.paginate(rest.issues.listComments, {
          ...here,
          issue_number: number,
          per_page: 100,
        })
        const own = comments.find((comment) => comment.body?.startsWith(MARKER) === true)
        if (own === undefined) await rest.issues.createComment({ ...here, issue_number: number, body: text })
        else if (own.body !== text) await rest.issues.updateComment({ ...here, comment_id: own.id, body: text })
      }),
    check: (head, check) =>
      asked('write a check', async ({ rest }) => {
        try {
          await rest.checks.create({ ...here, ...checkRun(head, check) })
        } catch (error) {
          // Only apps write check runs; with a personal token it is the status of the commit.
          if (!(error instanceof RequestError && error.status === 403)) throw error
          const state = ({ passed: 'success', failed: 'failure', waiting: 'pending' } as const)[check.state]
          const description = check.title.slice(0, 140)
          await rest.repos.createCommitStatus({ ...here, sha: head, state, context: CHECK, description })
        }
      }),
    merge: (number, { head, title, message }) =>
      asked('merge', async ({ rest }) => {
        const { data } = await rest.pulls.merge({
          ...{ ...here, pull_number: number, sha: head, merge_method: 'merge' },
          ...{ commit_title: title, commit_message: message },
        })
        return data.sha
      }),
    close: (number) =>
      asked('close a pull request', async ({ rest }) => {
        await rest.pulls.update({ ...here, pull_number: number, state: 'closed' })
      }),
    event: async (headers, body) => githubEvent(headers, body, await options.webhookSecret()),
  }
}

function checkRun(head: string, { state, title, summary }: ForgeCheck) {
  const output = { title: title.slice(0, 250), summary: cut(summary) }
  const ended = state === 'waiting' ? 'action_required' : state === 'passed' ? 'success' : 'failure'
  return { name: CHECK, head_sha: head, status: 'completed' as const, conclusion: ended, output } as const
}

function cut(text: string): string {
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT).toWellFormed()}\n\n… cut here`
}

function failureOf(error: unknown, what: string): Error {
  if (!(error instanceof RequestError)) {
    return fail('SW_FORGE_UNREACHABLE', `GitHub could not ${what}: ${errorMessage(error)}`, { cause: error })
  }
  const { status } = error
  const limited = status === 429 || (status === 403 && error.response?.headers['x-ratelimit-remaining'] === '0')
  const details = { status }
  const message = `GitHub could not ${what}: ${status === 500 ? 'it did not answer' : `HTTP ${status}`}: ${errorMessage(error)}`
  if (limited || status >= 500) return fail('SW_FORGE_UNREACHABLE', message, { details, cause: error })
  if (status === 405 || status === 409) return fail('SW_CONFLICT', message, { details, cause: error })
  return fail('SW_FORGE_REFUSED', message, { details, cause: error })
}
