/** What is wrong with a text that holds expressions, as data. `offset` counts from the start of that text. */
export interface ExpressionProblem {
  readonly code: 'SW_EXPRESSION_SYNTAX' | 'SW_EXPRESSION_TYPE' | 'SW_UNKNOWN_NAME' | 'SW_TEMPLATE' | 'SW_SHELL_TEMPLATE'
  readonly message: string
  readonly hint: string
  readonly offset: number
}

/** Steps and inputs that an expression or a template names. */
export interface Mentions {
  readonly steps: ReadonlySet<string>
  readonly inputs: ReadonlySet<string>
}
