import { relative } from 'node:path'
import type { Stateward } from '../../build/stateward.ts'
import type { Config } from '../../config/schema.ts'
import { keyOf } from '../../kinds/resource.ts'
import { formatIssue } from '../../lib/issue.ts'
import { actionSymbol, summaryLine } from '../../plan/render/markdown.ts'
import { readyOf } from '../../status/summarize.ts'

const MAX_CHANGES = 40

/** What a start did: commit, ChangeSet, agents with their pids, and what to try next. */
export async function describeStart(stateward: Stateward, config: Config, startedMs: number): Promise<string> {
  return stateward.leads ? await describeLeader(stateward, config, startedMs) : describeOther(stateward, startedMs)
}

/** A process beside the one that leads. */
function describeOther({ roles, url }: Stateward, startedMs: number): string {
  const lines = [
    `Stateward is ready after ${((performance.now() - startedMs) / 1000).toFixed(1)} s, beside others, with the roles ${[...roles].join(', ')}.`,
    ...(roles.has('controller')
      ? ['It stands by: another process leads, and this one takes its place when it ends.']
      : []),
    ...(roles.has('worker') ? ['It moves runs.'] : []),
    ...(url === '' ? [] : [`It answers at ${url}.`]),
    'All processes: stateward get workers',
  ]
  return `${lines.join('\n')}\n`
}

async function describeLeader(stateward: Stateward, config: Config, startedMs: number): Promise<string> {
  const { sync } = stateward.sync.state
  const head = stateward.sync.state.head
  const lines = [
    `Stateward is ready${stateward.url === '' ? '' : ` at ${stateward.url}`} after ${((performance.now() - startedMs) / 1000).toFixed(1)} s.`,
    ...pageLine(stateward, config),
    '',
  ]
  if (stateward.sync.state.failure !== null) {
    const { message, remedy, code } = stateward.sync.state.failure
    lines.push(`The state repo could not be read: ${message}`, `  remedy: ${remedy} [${code}]`, '')
  }
  if (head !== null)
    lines.push(`commit    ${head.commit.slice(0, 12)} ${head.message.split('\n')[0]} (${head.author.name})`)
  if (stateward.first === null && sync !== null)
    lines.push(`changes   none since the last start (${summaryLine(sync)})`)
  if (stateward.first !== null) {
    const { changes } = stateward.first.sync
    lines.push(`changes   ${summaryLine(stateward.first.sync)}`)
    lines.push(
      ...changes
        .slice(0, MAX_CHANGES)
        .map(
          (change) =>
            `  ${actionSymbol(change.action)} ${keyOf(change)}${change.reason === undefined ? '' : ` (${change.reason})`}`,
        ),
    )
    if (changes.length > MAX_CHANGES) lines.push(`  … and ${changes.length - MAX_CHANGES} more`)
  }
  for (const issue of sync?.issues ?? []) lines.push(`  ${formatIssue(issue)}`)
  lines.push(
    ...(await agentLines(stateward)),
    '',
    'Try next, in another terminal:',
    '',
    ...nextCommands(config).map((line) => `  ${line}`),
    '',
  )
  return `${lines.join('\n')}\n`
}

/** Where to look at it; with sign-in, what makes the link. */
function pageLine({ roles, url }: Stateward, config: Config): string[] {
  if (url === '' || !roles.has('ui')) return []
  return [`Look at it at ${url}/ui/${config.auth.mode === 'none' ? '' : ': `stateward ui` signs your browser in'}.`]
}

async function agentLines(stateward: Stateward): Promise<string[]> {
  const lines: string[] = []
  for (const object of stateward.world.ofKind('Agent').values()) {
    const observation = await stateward.agents.observe(object.uid)
    const pids = observation?.instances.flatMap(({ pid }) => (pid === undefined ? [] : [pid])) ?? []
    const ready = readyOf(object.status)
    const how = pids.length > 0 ? `pid ${pids.join(', ')}` : (ready.message ?? '')
    lines.push(
      `  ${object.namespace}/${object.name}  ${how}  ${observation?.phase ?? (ready.status === 'True' ? 'Running' : 'Pending')}`,
    )
  }
  return lines.length === 0 ? [] : ['agents', ...lines.sort()]
}

/** The walk-through of the README, for this configuration. */
function nextCommands(config: Config): string[] {
  const data = relative(process.cwd(), config.data) || '.'
  const other = data !== '.stateward'
  const flag = other ? ` --data ${data}` : ''
  const clone = config.repo ?? `${data}/state-repo.git`
  return [
    `bin/stateward get agents${flag}`,
    `bin/stateward get blueprints -o wide${flag}`,
    `git clone ${clone} work                   # edit, commit, push in it: applied in under a second`,
    // Here --data is the event's own.
    `bin/stateward emit checkmk.alert --data '{"host":"web-1","service":"nginx","state":"CRIT"}'${other ? ` --data-dir ${data}` : ''}`,
    `bin/stateward runs${flag}; bin/stateward describe run <name>${flag}`,
    `bin/stateward approve <run> approve${flag}`,
    `bin/stateward logs <run>${flag}; bin/stateward events --follow${flag}`,
    `git -C work config --add remote.origin.fetch '+refs/notes/*:refs/notes/*' && git -C work fetch`,
    `git -C work log --format='%h %s%n%b' origin/stateward/status`,
    `git -C work log --show-notes=stateward -3 origin/main`,
  ]
}
