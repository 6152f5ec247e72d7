import type { OperationSpec } from '../kinds/operation/operation.schema.ts'
import { fillDefaults } from '../kinds/validate.ts'
import type { JsonObject } from '../lib/json.ts'
import { type BlueprintSource, type CompileSurroundings, compileBlueprint } from './compile.ts'
import type { CompileResult } from './compile-result.ts'
import { PointerMap } from './pointer-map.ts'

const DEFAULT_TIMEOUT = '5m'
const STEP = '/spec/plan/0'

/**
 * Makes what a run of an operation follows: one step, by the rules of a blueprint; its result is the output `result`. Pointers
 * of problems are those of the operation. Null for one that runs a blueprint: that has a plan of its own. Pure.
 */
export function compileOperation(
  source: BlueprintSource,
  around: Pick<CompileSurroundings, 'toolSchema'>,
): CompileResult | null {
  const spec = source.spec as unknown as OperationSpec
  const { command, call, timeout = DEFAULT_TIMEOUT, inputs = [] } = spec
  if (command === undefined && call === undefined) return null
  const places = new PointerMap()
  places.tree('/spec', '/spec')
  places.leaf('/spec/limits', '/spec/timeout')
  places.leaf(STEP, command === undefined ? '/spec/call' : '/spec/command')
  places.tree(`${STEP}/with`, '/spec/call/with')
  places.leaf(`${STEP}/action`, '/spec/call/action')
  if (command !== undefined) places.tree(`${STEP}/with/command`, '/spec/command')
  const action =
    call === undefined ? { action: 'process.run', with: { command } } : { action: call.action, with: call.with ?? {} }
  const blueprint = {
    inputs,
    limits: { timeout },
    plan: [{ id: 'run', kind: 'action_task', ...action }],
    outputs: [{ name: 'result', value: '{{ steps.run.output }}' }],
  }
  const { namespace, name } = source
  const compiled = compileBlueprint(
    {
      namespace,
      name,
      spec: fillDefaults('Blueprint', blueprint as unknown as JsonObject),
      place: (pointer) => source.place(places.find(pointer)),
    },
    around,
  )
  if (compiled.ok) return compiled
  return {
    ok: false,
    problems: compiled.problems.map((problem) => ({ ...problem, pointer: places.find(problem.pointer) })),
  }
}
