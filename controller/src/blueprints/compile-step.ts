import { checkTemplate } from '../expressions/check-template.ts'
import { compileExpression, variablesOf } from '../expressions/compile-expression.ts'
import { createScope, errorScope, type Scope } from '../expressions/scope.ts'
import { hasTemplate } from '../expressions/template.ts'
import { RESERVED_VARIABLES } from '../expressions/values.ts'
import { RETRY_DEFAULTS } from '../kinds/blueprint/retry.schema.ts'
import { FOREACH_DEFAULTS } from '../kinds/blueprint/step.schema.ts'
import type { SpecProblem } from '../kinds/definition.ts'
import { parseDuration } from '../lib/duration.ts'
import { isObject, type Json, type JsonObject } from '../lib/json.ts'
import { schemaProblem } from '../lib/json-schema.ts'
import { compileActionParameters } from './action-parameters.ts'
import { compileCall } from './compile-call.ts'
import type { CompileResult } from './compile-result.ts'
import type { CompiledStep, RetryPolicy } from './compiled-plan.ts'
import { maxNanoUsdOf } from './max-usd.ts'
import { problem } from './problem.ts'

export interface StepSurroundings {
  readonly scope: Scope
  /** inputSchema of a tool by name or alias; null when there is no such tool. */
  readonly toolSchema: (name: string) => JsonObject | null
  /** A blueprint by name, compiled; null when there is no such blueprint. */
  readonly blueprint: (name: string) => CompileResult | null
  /** Compiles the plan of a loop, whose expressions also know these variables (name → type). */
  readonly nested: (variables: Readonly<Record<string, string>>) => {
    readonly steps: readonly CompiledStep[]
    readonly mentions: ReadonlySet<string>
    readonly problems: readonly SpecProblem[]
  }
}

/** A step but for its order, with what it mentions and everything that is wrong with it. */
export interface StepDraft {
  readonly step: CompiledStep
  readonly mentions: ReadonlySet<string>
  readonly problems: readonly SpecProblem[]
}

/** Collects the problems of one step and the steps its expressions mention. */
class StepReader {
  readonly problems: SpecProblem[] = []
  readonly mentions = new Set<string>()
  readonly #step: Readonly<JsonObject>
  readonly #pointer: string
  readonly #scope: Scope

  constructor(step: Readonly<JsonObject>, pointer: string, scope: Scope) {
    this.#step = step
    this.#pointer = pointer
    this.#scope = scope
  }

  text(field: string): string | null {
    const value = this.#step[field]
    return typeof value === 'string' ? value : null
  }

  duration(field: string): number | null {
    const text = this.text(field)
    return text === null ? null : parseDuration(text)
  }

  /** A field that is no place for `{{ }}`. */
  plain(field: string): string {
    const value = this.text(field) ?? ''
    if (hasTemplate(value))
      this.problems.push(
        problem('SW_TEMPLATE', `${this.#pointer}/${field}`, `${field} cannot hold {{ }}`, 'write the name itself', 0),
      )
    return value
  }

  expression(field: string, expect?: 'bool'): string | null {
    const text = this.text(field)
    if (text !== null) this.typeOf(field, text, this.#scope, expect)
    return text
  }

  /** The checker's type of an expression; `dyn` when it is wrong, which is reported. */
  typeOf(field: string, text: string, scope: Scope, expect?: 'bool'): string {
    const compiled = compileExpression(text, scope, expect)
    if (compiled.ok) {
      for (const id of compiled.mentions.steps) this.mentions.add(id)
      return compiled.type
    }
    this.problems.push({ ...compiled.problem, pointer: `${this.#pointer}/${field}` })
    return 'dyn'
  }

  /** Steps that the expression of a field mentions. */
  mentioned(field: string): ReadonlySet<string> {
    return variablesOf(this.text(field) ?? 'null', this.#scope).steps
  }

  template<T extends Json>(field: string, otherwise: T): T {
    const value = this.#step[field]
    if (value === undefined || value === null) return otherwise
    const checked = checkTemplate(value, this.#scope, `${this.#pointer}/${field}`)
    for (const id of checked.mentions.steps) this.mentions.add(id)
    this.problems.push(...checked.problems)
    return value as T
  }

  /** `retry`, with its defaults; nothing when the step has none, so that its digest says so. */
  retry(): { retry?: RetryPolicy } {
    const retry = this.#step['retry']
    if (!isObject(retry)) return {}
    const { maxAttempts, backoff, factor, maxBackoff, jitter, retryIf } = retry as JsonObject
    if (typeof retryIf === 'string') {
      const compiled = compileExpression(retryIf, errorScope, 'bool')
      if (!compiled.ok) this.problems.push({ ...compiled.problem, pointer: `${this.#pointer}/retry/retryIf` })
    }
    return {
      retry: {
        maxAttempts: typeof maxAttempts === 'number' ? maxAttempts : RETRY_DEFAULTS.maxAttempts,
        firstMs: parseDuration(typeof backoff === 'string' ? backoff : RETRY_DEFAULTS.backoff),
        factor: typeof factor === 'number' ? factor : RETRY_DEFAULTS.factor,
        maxMs: parseDuration(typeof maxBackoff === 'string' ? maxBackoff : RETRY_DEFAULTS.maxBackoff),
        jitter: typeof jitter === 'number' ? jitter : RETRY_DEFAULTS.jitter,
        retryIf: typeof retryIf === 'string' ? retryIf : null,
      },
    }
  }

  schema(field: string): JsonObject | null {
    const value = this.#step[field]
    if (value === undefined || value === null) return null
    const wrong = schemaProblem(value as JsonObject)
    if (wrong !== null) {
      this.problems.push(
        problem(
          'SW_BAD_VALUE',
          `${this.#pointer}/${field}`,
          `this is not a JSON Schema: ${wrong}`,
          'correct the schema',
        ),
      )
    }
    return value as JsonObject
  }
}

/** Compiles one step that passed the schema of its kind. `place` is where it stands in the state repo. */
export function compileStep(
  step: Readonly<JsonObject>,
  pointer: string,
  place: string | null,
  around: StepSurroundings,
): StepDraft {
  const reader = new StepReader(step, pointer, around.scope)
  const id = String(step['id'])
  const base = {
    id,
    name: reader.text('name') ?? id,
    waitsFor: [],
    if: reader.expression('if', 'bool'),
    timeoutMs: reader.duration('timeout'),
    place,
  }
  const compiled = compileKind(step, base, reader, pointer, around)
  return { step: compiled, mentions: reader.mentions, problems: reader.problems }
}

type Base = Pick<CompiledStep, 'id' | 'name' | 'waitsFor' | 'if' | 'timeoutMs' | 'place'>

function compileKind(
  step: Readonly<JsonObject>,
  base: Base,
  reader: StepReader,
  pointer: string,
  around: StepSurroundings,
): CompiledStep {
  switch (step['kind']) {
    case 'agent_task':
      return {
        ...base,
        kind: 'agent_task',
        agent: reader.plain('agent'),
        model: reader.text('model'),
        ...(typeof step['provider'] === 'string' ? { provider: step['provider'] } : {}),
        prompt: reader.template('prompt', ''),
        with: reader.template<JsonObject | null>('with', null),
        outputSchema: reader.schema('outputSchema'),
        keepWorkspace: step['keepWorkspace'] === true,
        ...maxNanoUsdOf(step),
        ...(typeof step['expectedRows'] === 'number' ? { expectedRows: step['expectedRows'] } : {}),
        ...reader.retry(),
      }
    case 'action_task': {
      const action = reader.plain('action')
      const raw = reader.template<JsonObject>('with', {})
      const compiled = compileActionParameters(action, raw, pointer, around.toolSchema)
      reader.problems.push(...compiled.problems)
      const undo = compileUndo(step, reader, `${pointer}/undo`, around)
      return { ...base, kind: 'action_task', action, with: compiled.with, ...undo, ...reader.retry() }
    }
    case 'gate':
      return {
        ...base,
        kind: 'gate',
        mode: step['mode'] === 'policy' || step['mode'] === 'pullRequest' ? step['mode'] : 'manual',
        approvers: Array.isArray(step['approvers']) ? step['approvers'].map(String) : [],
        min: typeof step['min'] === 'number' ? step['min'] : 1,
        selfApproval: step['selfApproval'] === 'deny' ? 'deny' : 'allow',
        inputSchema: reader.schema('inputSchema'),
        onTimeout: step['onTimeout'] === 'approve' ? 'approve' : 'reject',
        message: reader.template<string | null>('message', null),
      }
    case 'transform':
      return { ...base, kind: 'transform', expression: reader.expression('expression') ?? 'null' }
    case 'wait': {
      const filter = reader.expression('filter', 'bool')
      return {
        ...base,
        kind: 'wait',
        event: reader.text('event'),
        filter,
        filterSteps: filter === null ? [] : [...reader.mentioned('filter')],
        durationMs: reader.duration('duration'),
        onTimeout: step['onTimeout'] === 'continue' ? 'continue' : 'fail',
      }
    }
    case 'blueprint': {
      const ref = reader.plain('ref')
      const call = compileCall(step, pointer, around.scope, around.blueprint(ref))
      for (const id of call.mentions) reader.mentions.add(id)
      reader.problems.push(...call.problems)
      return { ...base, kind: 'blueprint', ref, inputs: call.inputs, plan: call.plan }
    }
    case 'foreach':
      return compileForeach(step, base, reader, pointer, around)
    default:
      throw new Error(`a step of kind ${JSON.stringify(step['kind'])} passed the schema of Blueprint`)
  }
}

/** It runs when the step has ended, so it may read the step's own output; nothing has to wait for that. */
function compileUndo(
  step: Readonly<JsonObject>,
  reader: StepReader,
  pointer: string,
  around: StepSurroundings,
): { undo?: { action: string; with: JsonObject } } {
  if (!isObject(step['undo'])) return {}
  const undo = step['undo'] as JsonObject
  const action = String(undo['action'])
  const raw = isObject(undo['with']) ? (undo['with'] as JsonObject) : {}
  const checked = checkTemplate(raw, around.scope, `${pointer}/with`)
  for (const id of checked.mentions.steps) if (id !== step['id']) reader.mentions.add(id)
  const compiled = compileActionParameters(action, raw, pointer, around.toolSchema)
  reader.problems.push(...checked.problems, ...compiled.problems)
  return { undo: { action, with: compiled.with } }
}

/** A loop. Its items may not read `env` and `blackboard`: they are read again after a restart and have to be the same then. */
function compileForeach(
  step: Readonly<JsonObject>,
  base: Base,
  reader: StepReader,
  pointer: string,
  around: StepSurroundings,
): CompiledStep {
  const items = reader.text('items') ?? '[]'
  const type = reader.typeOf(
    'items',
    items,
    createScope({ ...around.scope.declaration, env: false, blackboard: false }),
  )
  const item = type === 'list' ? 'dyn' : /^list<(.+)>$/.exec(type)?.[1]
  if (item === undefined && type !== 'dyn') {
    const message = `this is of type ${type}, but a loop needs a list`
    reader.problems.push(problem('SW_EXPRESSION_TYPE', `${pointer}/items`, message, 'give it a list', 0))
  }
  const as = reader.text('as') ?? FOREACH_DEFAULTS.as
  const isReserved = RESERVED_VARIABLES.includes(as)
  if (isReserved) {
    const message = `${as} has a meaning of its own in expressions`
    reader.problems.push(problem('SW_BAD_VALUE', `${pointer}/as`, message, 'name the item otherwise'))
  }
  // Numbers come back from JSON as doubles, whatever the list was written with.
  const typed = item !== undefined && !['int', 'uint', 'double'].includes(item) ? item : 'dyn'
  const nested = around.nested({ [isReserved ? FOREACH_DEFAULTS.as : as]: typed, index: 'int' })
  for (const id of nested.mentions) reader.mentions.add(id)
  reader.problems.push(...nested.problems)
  const plan = Array.isArray(step['plan']) ? step['plan'] : []
  const number = (field: 'concurrency' | 'maxIterations') =>
    typeof step[field] === 'number' ? step[field] : FOREACH_DEFAULTS[field]
  return {
    ...base,
    kind: 'foreach',
    items,
    as,
    concurrency: number('concurrency'),
    maxIterations: number('maxIterations'),
    steps: nested.steps,
    result: String((plan.at(-1) as JsonObject | undefined)?.['id']),
  }
}
