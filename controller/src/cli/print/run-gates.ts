import { ageOf } from '../../kinds/printer-cell.ts'
import { isObject } from '../../lib/json.ts'
import { msBetween, tookText } from '../../lib/took.ts'
import type { GateDto, StepDto } from '../client/dto.ts'
import { terminalText } from './inline-text.ts'
import type { DescriptionContext } from './object-description.ts'
import { renderTable } from './table.ts'

/** What waits for people: the question, who may answer it and until when, who has, and the commands that answer it. */
export function renderOpenGates(
  {
    gates,
    steps,
    command,
  }: {
    readonly gates: readonly GateDto[]
    readonly steps: readonly StepDto[]
    readonly command: (...words: string[]) => string
  },
  { now, colors }: DescriptionContext,
): string {
  return gates
    .filter(({ state }) => state === 'waiting')
    .map((gate) => {
      const effect = steps.findLast(({ path }) => path === gate.step)?.condition?.['effect']
      const below = [
        ...(isObject(effect) ? effectOf(effect) : []),
        ...termsOf(gate, now),
        ...decisionCommands(command, gate.run, questionOf(gate.step, gate)),
      ]
      const question = colors.yellow(terminalText(`${gate.step}: ${gate.message ?? 'approve or reject'}`))
      return [question, ...below.map((line) => `  ${terminalText(line)}`), ''].join('\n')
    })
    .join('')
}

/** What is known of a call whose outcome nobody knows. */
function effectOf(effect: Readonly<Record<string, unknown>>): readonly string[] {
  return [
    `${effect['tool']} was called at ${effect['intended_at']}`,
    `operation ${effect['operation_id']}`,
    `request ${effect['request_digest']}, see the inputs of the step`,
  ]
}

/** What a step asks of people. */
export interface Question {
  readonly step: string
  /** An approval has to bring an answer. */
  readonly asks: boolean
  /** The branch whose merge approves it. */
  readonly proposal: string | null
  /** What became of a call, which nobody knows. */
  readonly quarantine: boolean
}

/** Reads it from a gate, the condition of a step or the event of a gate: they use the same words. */
export function questionOf(
  step: string,
  facts: {
    readonly input_schema?: unknown
    readonly proposal?: unknown
    readonly mode?: unknown
    readonly effect?: unknown
  } | null,
): Question {
  const { input_schema: schema = null, proposal = null, mode, effect } = facts ?? {}
  return {
    step,
    asks: schema !== null,
    proposal: typeof proposal === 'string' ? proposal : null,
    quarantine: mode === 'quarantine' || isObject(effect),
  }
}

/** How to answer what waits for a person, a line each way. */
export function decisionCommands(
  command: (...words: string[]) => string,
  run: string,
  { step, asks, proposal, quarantine }: Question,
): readonly string[] {
  const approve = command('approve', run, step)
  const reject = command('reject', run, step)
  if (quarantine) {
    const answers = [
      [`${approve} --retry`, 'it took no effect: call it again'],
      [`${approve} --done --input <file>`, 'it took effect: go on with this output'],
      [reject, 'fail the step'],
    ] as const
    const widest = Math.max(...answers.map(([line]) => line.length))
    return answers.map(([line, meaning]) => `${line.padEnd(widest)}  # ${meaning}`)
  }
  if (proposal !== null) return [`git merge origin/${proposal}, and push: the merge approves it`, reject]
  return [`${approve}${asks ? ' --input <file>' : ''}`, reject]
}

function termsOf(gate: GateDto, now: Date): readonly string[] {
  const approved = gate.decisions.filter(({ decision }) => decision === 'approve').map(({ actor }) => actor)
  return [
    ...(gate.approvers.length > 0 ? [`may be decided by ${gate.approvers.join(', ')}`] : []),
    ...(gate.min_approvals > 1
      ? [`${approved.length} of ${gate.min_approvals} approvals: ${approved.join(', ') || '-'}`]
      : []),
    ...(gate.self_approval ? [] : ['not by whoever started the run']),
    ...(gate.input_schema === null ? [] : [`the answer has to fit ${JSON.stringify(gate.input_schema)}`]),
    ...(gate.timeout_at === null
      ? []
      : [`until ${gate.timeout_at} (${tookText(msBetween(now.toISOString(), gate.timeout_at))} left)`]),
  ]
}

/** Who decided what, and when. */
export function renderDecided(gates: readonly GateDto[], { now, width, colors }: DescriptionContext): string {
  const rows = gates.flatMap((gate) =>
    gate.decisions.length === 0
      ? gate.decided_at === null
        ? []
        : [[gate.step, gate.state, '-', ageOf(gate.decided_at, now), '-']]
      : gate.decisions.map(({ decision, actor, reason, decided_at: at }) => [
          gate.step,
          decision === 'approve' ? 'approved' : 'rejected',
          actor,
          ageOf(at, now),
          reason ?? '-',
        ]),
  )
  if (rows.length === 0) return ''
  const columns = [
    { head: 'Step' },
    { head: 'Decision' },
    { head: 'By' },
    { head: 'Age' },
    { head: 'Reason', shrinks: true },
  ]
  return renderTable(columns, rows, {
    width,
    style: (text, column, isHead) =>
      isHead || column !== 1 ? text : text === 'approved' ? colors.green(text) : colors.red(text),
  })
}
