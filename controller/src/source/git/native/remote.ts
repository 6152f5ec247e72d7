import { fail } from '../../../lib/error-catalogue.ts'
import type { StatewardError } from '../../../lib/errors.ts'
import { isFullRefName, isOid } from '../ref-names.ts'
import type { Refspec } from '../refspec.ts'
import { parseRefspecs } from '../refspec.ts'
import { redactUrls, splitCredentials } from '../remote-url.ts'
import type { GitContext, GitOutcome } from './git-process.ts'
import { gitFailure, runGit } from './git-process.ts'

/**
 * Talking to remotes. What a failure means is never read from git's words: exit code 2 of `ls-remote --exit-code` is
 * "no such ref", and after a failed fetch or push the remote's refs are asked for, which tells gone from moved on.
 */

export interface Remote {
  readonly url: string
  readonly refspecs: readonly string[]
  readonly timeoutMs: number
}

/** The URL as git may see it on its command line, and the credentials where only git sees them. */
function address(url: string): { url: string; env: Record<string, string> } {
  const split = splitCredentials(url)
  if (split.credentials === null) return { url, env: {} }
  const basic = Buffer.from(`${split.credentials.username}:${split.credentials.password}`).toString('base64')
  return {
    url: split.url,
    env: {
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: `http.${new URL(split.url).origin}/.extraHeader`,
      GIT_CONFIG_VALUE_0: `Authorization: Basic ${basic}`,
    },
  }
}

export async function listRemote(
  context: GitContext,
  remote: { readonly url: string; readonly patterns: readonly string[]; readonly timeoutMs: number },
): Promise<ReadonlyMap<string, string>> {
  const { url, env } = address(remote.url)
  const outcome = await runGit(
    context,
    ['ls-remote', '--exit-code', '--refs', '--quiet', '--', url, ...remote.patterns],
    { env, timeoutMs: remote.timeoutMs },
  )
  if (outcome.code === 2) return new Map()
  if (outcome.code !== 0) throw unreachable(url, outcome)
  const refs = new Map<string, string>()
  for (const line of outcome.stdout.toString('utf8').split('\n')) {
    const [oid, name] = line.split('\t')
    // A pattern matches the end of a name too (`a/refs/heads/main`): only what was asked for counts.
    if (oid !== undefined && name !== undefined && remote.patterns.some((pattern) => matches(pattern, name)))
      refs.set(name, oid)
  }
  return refs
}

function matches(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern
}

export async function fetchRefs(context: GitContext, remote: Remote): Promise<void> {
  const refspecs = parseRefspecs(remote.refspecs)
  const { url, env } = address(remote.url)
  const args = [
    'fetch',
    '--quiet',
    '--atomic',
    '--prune',
    '--no-tags',
    '--no-write-fetch-head',
    '--no-recurse-submodules',
    '--no-auto-maintenance',
    '--',
    url,
    ...remote.refspecs,
  ]
  const outcome = await runGit(context, args, { env, timeoutMs: remote.timeoutMs })
  if (outcome.code === 0) return
  if (outcome.timedOut) throw unreachable(url, outcome)
  const sources = refspecs.map((refspec) => refspec.source)
  const there = await listRemote(context, { url: remote.url, patterns: sources, timeoutMs: remote.timeoutMs })
  const missing = sources.find((source) => !source.endsWith('*') && !there.has(source))
  if (missing !== undefined)
    throw fail('SW_REF_MISSING', `${redactUrls(url)} has no ${missing}`, { details: { ref: missing } })
  if (await rewrites(context, refspecs, there))
    throw fail('SW_CONFLICT', `${redactUrls(url)} rewrote a ref that is fetched without force`, {
      details: { exitCode: outcome.code },
    })
  throw gitFailure(args, outcome)
}

/** True when a refspec without `+` stands at a commit that the remote's is no descendant of. */
async function rewrites(
  context: GitContext,
  refspecs: readonly Refspec[],
  there: ReadonlyMap<string, string>,
): Promise<boolean> {
  for (const { force, source, target } of refspecs) {
    const theirs = there.get(source)
    if (force || theirs === undefined) continue
    const descends = await runGit(context, ['merge-base', '--is-ancestor', target, theirs])
    if (descends.code === 1) return true
  }
  return false
}

export async function pushRefs(context: GitContext, remote: Remote): Promise<void> {
  const refspecs = parseRefspecs(remote.refspecs)
  if (refspecs.some((refspec) => refspec.force || refspec.source.includes('*'))) {
    throw fail('SW_GIT_FAILED', 'a push names each ref and never forces', {
      remedy: 'commit onto the tip of the remote and push again',
    })
  }
  const { url, env } = address(remote.url)
  const args = ['push', '--quiet', '--atomic', '--porcelain', '--no-verify', '--', url, ...remote.refspecs]
  const outcome = await runGit(context, args, { env, timeoutMs: remote.timeoutMs })
  if (outcome.code === 0) return
  if (outcome.timedOut) throw unreachable(url, outcome)
  const there = await listRemote(context, {
    url: remote.url,
    patterns: refspecs.map((refspec) => refspec.target),
    timeoutMs: remote.timeoutMs,
  })
  for (const { source, target } of refspecs) {
    const theirs = there.get(target)
    if (theirs === undefined) continue
    // Exit code 0 = ours contains theirs; 1 = it does not; anything else = we do not even have theirs.
    const contains = await runGit(context, ['merge-base', '--is-ancestor', theirs, source])
    if (contains.code !== 0) {
      throw fail('SW_CONFLICT', `${target} of ${redactUrls(url)} moved on to ${theirs}`, {
        details: { ref: target, actual: theirs },
        remedy: 'fetch it, commit onto it and push again',
      })
    }
  }
  // The reason of a refused ref is on standard output with --porcelain (`!\t<from>:<to>\t<summary>`).
  const refused = outcome.stdout
    .toString('utf8')
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .join('; ')
    .replaceAll('\t', ' ')
  throw gitFailure(args, { ...outcome, stderr: [refused, outcome.stderr].filter((text) => text !== '').join('\n') })
}

/** Nothing else that is pushed ever forces or deletes: this does, for one ref that holds what the caller has seen. */
export async function deleteRemoteRef(
  context: GitContext,
  request: { readonly url: string; readonly ref: string; readonly expected: string; readonly timeoutMs: number },
): Promise<void> {
  const { ref, expected, timeoutMs } = request
  if (!isFullRefName(ref) || !isOid(expected)) throw fail('SW_GIT_FAILED', `"${ref}" is not the full name of a ref`)
  const { url, env } = address(request.url)
  const lease = `--force-with-lease=${ref}:${expected}`
  const args = ['push', '--quiet', '--porcelain', '--no-verify', lease, '--', url, `:${ref}`]
  const outcome = await runGit(context, args, { env, timeoutMs })
  if (outcome.code === 0) return
  if (outcome.timedOut) throw unreachable(url, outcome)
  const there = (await listRemote(context, { url: request.url, patterns: [ref], timeoutMs })).get(ref)
  if (there === undefined) return
  if (there !== expected)
    throw fail('SW_CONFLICT', `${ref} of ${redactUrls(url)} moved on to ${there}`, { details: { ref, actual: there } })
  throw gitFailure(args, outcome)
}

function unreachable(url: string, outcome: GitOutcome): StatewardError {
  const how = outcome.timedOut ? 'did not answer in time' : `cannot be reached (git exit code ${outcome.code})`
  return fail(
    'SW_SOURCE_UNREACHABLE',
    `${redactUrls(url)} ${how}${outcome.stderr === '' ? '' : `: ${outcome.stderr}`}`,
    { details: { exitCode: outcome.code } },
  )
}
