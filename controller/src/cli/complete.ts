import { Command } from 'commander'
import type { KindRow } from '../kinds/kind-row.ts'
import { RUN, RUN_STATUSES } from '../kinds/record-kinds.ts'
import type { ApiClient } from './client/api-client.ts'
import type { StepDto } from './client/dto.ts'
import { listObjects } from './client/objects.ts'
import { KIND_TABLE, kindByWord } from './kinds/kind-table.ts'
import { waitsForPeople } from './print/step-state.ts'
import { splitVerb } from './split-verb.ts'
import { defineVerb } from './verb-command.ts'
import { VERBS } from './verbs.ts'

type Connect = (flags: Readonly<Record<string, unknown>>) => Promise<ApiClient>

/** What each operand of a verb may be. */
type Operands =
  | 'kinds-and-names'
  | 'object'
  | 'run'
  | 'run-and-step'
  | 'run-or-agent'
  | 'blueprint'
  | 'namespace'
  | 'step-of-run'
  | 'status'
  | 'shell'
  | 'operation'
  | 'work'
  | 'proposal'
  | 'verb'
  | 'none'

const OPERANDS: Readonly<Record<string, Operands>> = {
  get: 'kinds-and-names',
  describe: 'object',
  why: 'object',
  suspend: 'object',
  resume: 'object',
  reconcile: 'object',
  logs: 'run-or-agent',
  cancel: 'run',
  replay: 'run',
  retry: 'run',
  rollback: 'run',
  approve: 'run-and-step',
  reject: 'run-and-step',
  run: 'blueprint',
  completion: 'shell',
  operation: 'operation',
  work: 'work',
  proposals: 'proposal',
  help: 'verb',
}

/** The same of the values of options, for those that name something. */
const VALUES: Readonly<Record<string, Operands>> = {
  '--namespace': 'namespace',
  '--run': 'run',
  '--from': 'step-of-run',
  '--blueprint': 'blueprint',
  '--status': 'status',
}

/**
 * The words that may stand where the last one of `words` stands. Names come from the server; without one there are none,
 * since a shell has no place to show why.
 */
export async function completeWords(words: readonly string[], connect: Connect): Promise<string[]> {
  const current = words.at(-1) ?? ''
  const before = words.slice(0, -1)
  const { name, args, leading } = splitVerb(before)
  const typedVerb = before.length > 0 && args[0] !== '--help' && name !== null
  if (!typedVerb && args[0] !== 'help') return fitting(current, [...VERBS.map((entry) => entry.name), 'help'])
  if (args[0] === 'help')
    return fitting(
      current,
      VERBS.map((entry) => entry.name),
    )
  const command = await commandOf(name!)
  if (command === null) return []
  const { operands, options, pending } = readWords(command, args.slice(1))
  if (pending?.argChoices !== undefined) return fitting(current, pending.argChoices)
  if (pending === null && current.startsWith('-')) {
    return fitting(current, [...command.options.map((option) => option.long ?? option.short ?? ''), '--help'])
  }
  try {
    const namespace = options['namespace'] ?? 'default'
    const ask = async () => connect({ ...leading, ...options })
    const what = pending === null ? OPERANDS[name!] : VALUES[pending.long ?? '']
    return fitting(
      current,
      await candidates(
        what ?? 'none',
        pending === null || what === 'step-of-run' ? operands : [],
        current,
        namespace,
        ask,
      ),
    )
  } catch {
    return []
  }
}

async function commandOf(name: string): Promise<Command | null> {
  const entry = VERBS.find((known) => known.name === name)
  if (entry === undefined) return null
  const command = new Command(name)
  defineVerb(command, entry, (await entry.load()).verb)
  return command
}

/** Splits what was typed into operands and options; `pending` is an option that still waits for its value. */
function readWords(command: Command, words: readonly string[]) {
  const operands: string[] = []
  const options: Record<string, string> = {}
  let pending: Command['options'][number] | null = null
  for (const word of words) {
    if (pending !== null) {
      options[pending.attributeName()] = word
      pending = null
      continue
    }
    const [flag, inline] = word.split(/=(.*)/s)
    const option = word.startsWith('-')
      ? command.options.find((known) => known.long === flag || known.short === flag)
      : undefined
    if (option === undefined) operands.push(word)
    else if (option.required && inline === undefined) pending = option
    else if (inline !== undefined) options[option.attributeName()] = inline
  }
  return { operands, options, pending }
}

async function candidates(
  what: Operands,
  operands: readonly string[],
  current: string,
  namespace: string,
  ask: () => Promise<ApiClient>,
): Promise<readonly string[]> {
  const names = async (kind: KindRow): Promise<string[]> =>
    (await listObjects(await ask(), kind, { namespace, selector: null })).items.map((object) => object.metadata.name)
  const place = operands.length
  switch (what) {
    case 'kinds-and-names':
    case 'object': {
      if (current.includes('/')) {
        const word = current.slice(0, current.indexOf('/'))
        return (await names(kindByWord(word))).map((name) => `${word}/${name}`)
      }
      if (place > 0) return operands[0]!.includes('/') ? [] : names(kindByWord(operands[0]!))
      return what === 'object' ? KIND_TABLE.map((kind) => kind.singular) : kindLists(current)
    }
    case 'run':
      return place === 0 ? names(RUN) : []
    case 'run-and-step':
      if (place === 0) return names(RUN)
      return place === 1 ? waitingSteps(await ask(), operands[0]!) : []
    case 'run-or-agent':
      if (place > 0) return []
      return [...(await names(RUN)), ...(await names(kindByWord('agent'))).map((name) => `agent/${name}`)]
    case 'blueprint':
      return place === 0 ? names(kindByWord('blueprint')) : []
    case 'step-of-run':
      return place === 1 ? (await stepsOf(await ask(), operands[0]!)).map(({ path }) => path) : []
    case 'namespace':
      return ['default', ...(await names(kindByWord('environment')))]
    case 'status':
      return lists(current, RUN_STATUSES)
    case 'operation':
      if (place === 0) return ['list', 'run']
      return place === 1 && operands[0] === 'run' ? names(kindByWord('operation')) : []
    case 'work':
      if (place === 0) return ['list', 'types', 'create', 'move', 'assign', 'start', 'link', 'unlink']
      return place === 1 && !['list', 'types', 'create'].includes(operands[0]!) ? names(kindByWord('workitem')) : []
    case 'proposal':
      if (place === 0) return ['list', 'show', 'plan', 'diff', 'approve', 'merge', 'reject']
      return place === 1 ? openProposals(await ask()) : []
    case 'shell':
      return place === 0 ? ['bash', 'zsh', 'fish'] : []
    case 'verb':
    case 'none':
      return []
  }
}

/** `agents,` goes on with another kind. */
function kindLists(current: string): string[] {
  return lists(current, [...KIND_TABLE.map((kind) => kind.plural), ...(current.includes(',') ? [] : ['all'])])
}

function lists(current: string, words: readonly string[]): string[] {
  const typed = current.slice(0, current.lastIndexOf(',') + 1)
  return words.map((word) => typed + word)
}

async function waitingSteps(client: ApiClient, run: string): Promise<string[]> {
  const steps = await stepsOf(client, run)
  return steps.filter(waitsForPeople).map(({ path }) => path)
}

async function openProposals(client: ApiClient): Promise<string[]> {
  return (await client.call('listProposals', { state: 'open', limit: 100 })).items.map(({ id }) => id)
}

async function stepsOf(client: ApiClient, run: string): Promise<readonly StepDto[]> {
  return (await client.call('listSteps', { run, values: false })).items
}

function fitting(current: string, words: readonly string[]): string[] {
  return words.filter((word) => word.startsWith(current)).sort()
}
