import { join } from 'node:path'
import type { Principal } from '../api/auth/principal.ts'
import type { Caller } from '../api/caller.ts'
import type { GitServer } from '../api/ports/git.ts'
import { fail } from '../lib/error-catalogue.ts'
import { StatewardError } from '../lib/errors.ts'
import { refuseSecrets } from '../parse/secret-scan/scan.ts'
import type { Proposals } from '../proposals/proposals.ts'
import { forged, type Pusher, refusal } from '../proposals/pushed.ts'
import type { GitRepository, GitService, PushChecks, PushedObjects } from '../source/ports.ts'
import type { Core } from './core.ts'
import type { OpenSource } from './source.ts'

/** One file of a push; a state repo holds documents and small programs. */
const MAX_FILE_BYTES = 16 * 1024 * 1024
const MAX_COMMITS = 1000
const MAX_PUSH_BYTES = 128 * 1024 * 1024

/** The state repo over git's own protocol, served by the process that leads. */
export function gitServer({ folder, config }: Core, source: OpenSource, proposals: Proposals | null): GitServer {
  const { repository, remoteUrl } = source
  const serving = (): {
    readonly service: GitService
    readonly proposals: Proposals
    readonly repository: GitRepository
  } => {
    if (repository === null || proposals === null)
      throw fail('SW_CONFLICT', 'the state is read from a folder without history', {
        remedy: 'change the files in the folder',
      })
    if (repository.service === null) throw fail('SW_GIT_BINARY_REQUIRED', 'serving the state repo needs the git binary')
    return { service: repository.service, proposals, repository }
  }
  return {
    advertise: (service, protocol) => serving().service.advertise(service, { protocol }),
    fetch: (input, protocol) => serving().service.uploadPack(input, { protocol }),
    async push(input, protocol, principal, caller) {
      if (remoteUrl !== null)
        throw fail('SW_CONFLICT', 'the state repo is kept elsewhere: this is a copy that takes no pushes', {
          remedy: 'push to the repository itself, or propose files over the API',
        })
      const parts = serving()
      return parts.service.receivePack(input, {
        protocol,
        maxBytes: MAX_PUSH_BYTES,
        hooksFolder: join(folder.root, 'git-hooks'),
        checks: pushChecks(parts, `refs/heads/${config.ref}`, principal, caller),
      })
    },
  }
}

/** From the moment a push is complete to its end nothing else touches branches or rows of proposals. */
function pushChecks(
  { proposals, repository }: { readonly proposals: Proposals; readonly repository: GitRepository },
  main: string,
  principal: Principal,
  caller: Caller,
): PushChecks {
  const pusher: Pusher = {
    agent: principal.type === 'agent' ? { namespace: principal.namespace, name: principal.agent } : null,
    mayMoveAll: principal.verbs.has('git.push.protected'),
    mayFreeze: principal.verbs.has('fleet.freeze'),
  }
  let release: (() => void) | null = null
  return {
    async before(commands, objects) {
      const refused = commands.flatMap((command) => refusal(command, pusher) ?? [])
      if (refused.length > 0) return { ok: false, lines: refused }
      const commits = await objects.commits(MAX_COMMITS + 1)
      if (commits.length > MAX_COMMITS) return { ok: false, lines: [`more than ${MAX_COMMITS} new commits at once`] }
      // The one who may push anything brings the work of others, too.
      const strangers = pusher.mayMoveAll ? [] : commits.flatMap((commit) => forged(commit, principal.name) ?? [])
      if (strangers.length > 0) return { ok: false, lines: strangers.slice(0, 3) }
      try {
        await assertNoSecrets(repository, main, objects)
        release = await proposals.hold()
      } catch (error) {
        if (!(error instanceof StatewardError)) throw error
        return { ok: false, lines: [...error.message.split('\n'), error.remedy] }
      }
      return { ok: true, lines: [] }
    },
    after: (commands) => proposals.pushed(commands, { author: caller.actor, correlationId: caller.correlationId }),
    async ended() {
      release?.()
      proposals.nudge()
    },
  }
}

/** Throws SW_SECRET_IN_CHANGE, SW_BODY_TOO_LARGE. A secret in a commit in between is out, too. */
async function assertNoSecrets(repository: GitRepository, main: string, objects: PushedObjects): Promise<void> {
  for await (const { path, size, bytes } of objects.files({ maxBytes: MAX_FILE_BYTES })) {
    if (bytes === null) throw fail('SW_BODY_TOO_LARGE', `${path} has ${size} bytes, more than ${MAX_FILE_BYTES}`)
    const before = await repository.readFile(main, path, { maxBytes: MAX_FILE_BYTES })
    refuseSecrets([{ path, bytes, before }])
  }
}
