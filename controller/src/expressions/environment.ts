import { Environment } from '@marcbachmann/cel-js'

/** Limits of one expression; far above what a person writes, far below what could stall the process. */
const LIMITS = { maxAstNodes: 5_000, maxDepth: 100 }

/**
 * The CEL dialect of every expression. JSON knows one kind of number, which CEL reads as double, while a literal `1` is an
 * int: the mixed operators below make `inputs.n + 1` mean what it says.
 */
function createDialect(): Environment {
  const environment = new Environment({
    homogeneousAggregateLiterals: false,
    enableOptionalTypes: true,
    unlistedVariablesAreDyn: false,
    limits: LIMITS,
  })
  const operators: Record<string, (a: number, b: number) => number> = {
    '+': (a, b) => a + b,
    '-': (a, b) => a - b,
    '*': (a, b) => a * b,
    '/': (a, b) => a / b,
    '%': (a, b) => a % b,
  }
  for (const [operator, apply] of Object.entries(operators)) {
    const mixed = (a: number | bigint, b: number | bigint) => apply(Number(a), Number(b))
    environment.registerOperator(`int ${operator} double: double`, mixed)
    environment.registerOperator(`double ${operator} int: double`, mixed)
  }
  environment.registerOperator('double % double: double', operators['%']!)
  // `==` is meant to compare 1n with 1: that is the one place where both number types meet.
  // biome-ignore lint/suspicious/noDoubleEquals: compares an int (bigint) with a double
  environment.registerOperator('int == double: bool', (a: bigint, b: number) => a == (b as unknown as bigint))
  return environment
}

/** Never extended itself: every scope is a clone. */
export const dialect: Environment = createDialect()
