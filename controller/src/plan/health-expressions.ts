import { checkHealth } from '../expressions/health.ts'
import type { SpecProblem } from '../kinds/definition.ts'
import { KINDS, kindOf } from '../kinds/registry.ts'
import type { SourceSpec } from '../kinds/source/source.schema.ts'
import { closest } from '../lib/closest.ts'

/** Not declared here, but made of agents that are pods: they are judged with their agent. */
const POD = 'Pod'

/** What is wrong with the health expressions of a source: kinds that nobody declares, texts that are no condition. */
export function checkHealthExpressions({ healthCheckExprs = [] }: SourceSpec): SpecProblem[] {
  return healthCheckExprs.flatMap((expressions, i) => {
    const pointer = `/spec/healthCheckExprs/${i}`
    const problems = checkHealth(expressions, pointer)
    // A source is summed from its objects.
    if (expressions.kind === POD || (kindOf(expressions.kind) !== undefined && expressions.kind !== 'Source'))
      return problems
    const names = [...KINDS.map(({ kind }) => kind).filter((kind) => kind !== 'Source'), POD]
    const guess = closest(expressions.kind, names)
    const hint = guess === undefined ? `use one of ${names.join(', ')}` : `did you mean ${guess}?`
    const message = `no object of kind ${expressions.kind} can be declared by a source`
    return [{ code: 'SW_BAD_VALUE' as const, pointer: `${pointer}/kind`, message, hint }, ...problems]
  })
}
