import { msBetween, tookText } from '../../lib/took.ts'
import type { RunDto, StepDto } from '../client/dto.ts'
import type { Colors } from '../terminal.ts'
import { displayWidth, padEnd, truncate } from './display-width.ts'
import { inlineText } from './inline-text.ts'
import { type Question, questionOf } from './run-gates.ts'
import { endedSteps, type StepState, stateOf, stepNote, stepTook, waitsForPeople } from './step-state.ts'
import { loopProgress, parentOf, type StepNode, stepTree } from './step-tree.ts'

export interface RunTree {
  readonly run: RunDto
  readonly steps: readonly StepDto[]
  /** How to decide a step that waits for people, one line each way. */
  readonly commands: (question: Question) => readonly string[]
}

export interface TreeView {
  readonly now: Date
  readonly columns: number
  readonly rows: number
  readonly colors: Colors
  /** Number of the picture of what turns. */
  readonly frame: number
}

interface Line {
  readonly branch: string
  readonly state: StepState | null
  readonly name: string
  readonly took: string
  readonly note: string
  /** May be told together with its neighbours of the same state when the screen is too small for all. */
  readonly yields: boolean
}

const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']
const WIDEST_NAME = 34
const TOOK = 5
/** Steps of a loop that are shown at a time. */
const MOST_OF_LOOP = 8

/**
 * A run as a tree that fits the screen: its head, each step with how long it took and what it waits for, below a loop those
 * of its steps in which something happens, and the commands that decide what waits for people.
 */
export function renderRunTree(tree: RunTree, view: TreeView): string {
  const ended = endedSteps(tree.steps)
  const nodes = stepTree(tree.steps)
  const lines = fitScreen(linesOf(nodes, '', { tree, view, ended }), view.rows - 2)
  const width = Math.min(
    WIDEST_NAME,
    Math.max(0, ...lines.filter(({ state }) => state !== null).map(({ branch, name }) => displayWidth(branch + name))),
  )
  return [renderHead(tree, view), ...lines.map((line) => renderLine(line, width, view))]
    .map((line) => `${line}\n`)
    .join('')
}

function renderHead({ run, steps }: RunTree, view: TreeView): string {
  const state: StepState = run.status === 'cancelled' ? 'failed' : run.status
  const took = tookText(msBetween(run.started_at ?? run.created_at, run.completed_at ?? view.now))
  const what = run.status === 'created' ? 'waits for a worker' : run.status
  const text = `${inlineText(run.name)}  ${what}  ${took}  ${countsOf(run, steps)}`
  const { colors } = view
  return `${symbolOf(state, view)} ${colors.bold(truncate(text, view.columns - 3))}`
}

/** `5 of 12 steps` while it goes on, then how they ended. */
function countsOf(run: RunDto, steps: readonly StepDto[]): string {
  const outer = steps.filter(({ path }) => parentOf(path) === null)
  const count = (status: string) => outer.filter((step) => step.status === status).length
  if (run.completed_at === null)
    return `${count('completed') + count('skipped') + count('failed')} of ${outer.length} steps`
  const parts = ['completed', 'failed', 'skipped'].filter((word) => count(word) > 0)
  return parts.map((word) => `${count(word)} ${word}`).join(', ')
}

interface Walk {
  readonly tree: RunTree
  readonly view: TreeView
  readonly ended: ReadonlySet<string>
}

function linesOf(nodes: readonly StepNode[], trunk: string, walk: Walk): readonly Line[] {
  const { tree, view, ended } = walk
  return nodes.flatMap((node, index) => {
    const { step, name, children } = node
    const isLast = index === nodes.length - 1
    const under = `${trunk}${isLast ? '   ' : '│  '}`
    // A call is part of the plan; of the iterations of a loop only those count in which something happens.
    const happening = step.kind === 'foreach' ? children.filter(happens) : children
    const state = stateOf(step)
    const note = (state === 'failed' ? '' : loopProgress(node)) || stepNote(step, ended, view.now)
    const own: Line = {
      branch: `${trunk}${isLast ? '└─ ' : '├─ '}`,
      state,
      name: inlineText(name),
      took: stepTook(step, view.now),
      note,
      yields: state === 'completed' || state === 'created' || state === 'skipped',
    }
    const commands = waitsForPeople(step) ? tree.commands(questionOf(step.path, step.condition)) : []
    const most = step.kind === 'foreach' ? MOST_OF_LOOP : happening.length
    const rest = happening.length - most
    return [
      own,
      ...commands.map((command) => bare(`${under}  `, command)),
      ...linesOf(happening.slice(0, most), under, walk),
      ...(rest > 0 ? [bare(under, `… and ${rest} more`)] : []),
    ]
  })
}

/** Whether a step inside a loop is worth a line: what ended well is only counted. */
function happens({ step, children }: StepNode): boolean {
  const state = stateOf(step)
  return state === 'running' || state === 'waiting' || state === 'failed' || children.some(happens)
}

function bare(branch: string, note: string): Line {
  return { branch, state: null, name: '', took: '', note, yields: false }
}

/** At most `most` lines: first neighbours of the same state are told together, then the last lines are left out. */
function fitScreen(lines: readonly Line[], most: number): readonly Line[] {
  if (lines.length <= most) return lines
  const together: Line[] = []
  for (let at = 0; at < lines.length; ) {
    const first = lines[at]!
    let end = at + 1
    while (first.yields && end < lines.length && lines[end]!.yields && lines[end]!.state === first.state) end += 1
    const count = end - at
    const word = first.state === 'created' ? 'to come' : first.state
    together.push(
      count === 1
        ? first
        : { ...first, branch: lines[end - 1]!.branch, name: `${count} steps ${word}`, took: '', note: '' },
    )
    at = end
  }
  if (together.length <= most) return together
  const kept = together.slice(0, Math.max(0, most - 1))
  return [...kept, bare('', `… and ${together.length - kept.length} more lines`)]
}

function renderLine({ branch, state, name, took, note }: Line, width: number, view: TreeView): string {
  const { colors, columns } = view
  const trunk = colors.dim(branch)
  // A command is to be copied: better it takes two lines than that its end is missing.
  if (state === null) return trunk + colors.cyan(note)
  const room = Math.max(4, width - displayWidth(branch))
  const label = padEnd(truncate(name, room), room)
  const text = `${label}  ${took.padStart(TOOK)}`.trimEnd()
  const left = displayWidth(branch) + 2 + room + 2 + TOOK + 2
  const tail =
    note === ''
      ? ''
      : `${' '.repeat(left - displayWidth(branch) - 2 - displayWidth(text))}${truncate(note, Math.max(1, columns - left - 1))}`
  const isQuiet = state === 'created' || state === 'skipped'
  return `${trunk}${symbolOf(state, view)} ${isQuiet ? colors.dim(text) : text}${toned(tail, state, colors)}`
}

function symbolOf(state: StepState, { colors, frame }: TreeView): string {
  switch (state) {
    case 'completed':
      return colors.green('✔')
    case 'failed':
      return colors.red('✖')
    case 'running':
      return colors.cyan(SPINNER[frame % SPINNER.length]!)
    case 'waiting':
      return colors.yellow('◆')
    case 'skipped':
      return colors.dim('-')
    case 'created':
      return colors.dim('·')
  }
}

function toned(text: string, state: StepState, colors: Colors): string {
  if (state === 'failed') return colors.red(text)
  if (state === 'waiting') return colors.yellow(text)
  return colors.dim(text)
}
