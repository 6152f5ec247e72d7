import { shellWord } from '../../../../controller/src/lib/shell-word.ts'

/** An input as a blueprint declares it. */
export interface Input {
  readonly name: string
  readonly description: string | null
  readonly required: boolean
  readonly type: 'string' | 'number' | 'boolean' | 'choice' | 'json'
  readonly choices: readonly string[]
  readonly initial: string
}

/** The inputs of a blueprint, as its spec has them. What is not understood is typed as JSON. Pure. */
export function inputsOf(spec: Readonly<Record<string, unknown>>): Input[] {
  const inputs = spec['inputs']
  if (!Array.isArray(inputs)) return []
  return inputs.flatMap((input: unknown) => {
    if (!isRecord(input) || typeof input['name'] !== 'string') return []
    const schema = isRecord(input['schema']) ? input['schema'] : {}
    const choices = Array.isArray(schema['enum']) ? schema['enum'].filter((each) => typeof each === 'string') : []
    const initial = input['default'] ?? schema['default']
    return [
      {
        name: input['name'],
        description: typeof input['description'] === 'string' ? input['description'] : null,
        required: input['required'] === true,
        type: typeOf(schema, choices),
        choices,
        initial:
          initial === undefined || initial === null
            ? ''
            : typeof initial === 'string'
              ? initial
              : JSON.stringify(initial),
      },
    ]
  })
}

function typeOf(schema: Readonly<Record<string, unknown>>, choices: readonly string[]): Input['type'] {
  if (choices.length > 0) return 'choice'
  switch (schema['type']) {
    case 'string':
    case undefined:
      return 'string'
    case 'integer':
    case 'number':
      return 'number'
    case 'boolean':
      return 'boolean'
    default:
      return 'json'
  }
}

/** What is wrong with what was typed; null = nothing. */
export function problemOf(input: Input, text: string): string | null {
  if (text.trim() === '') return input.required ? 'is required' : null
  if (input.type === 'number' && Number.isNaN(Number(text))) return 'has to be a number'
  if (input.type === 'json') {
    try {
      JSON.parse(text)
    } catch {
      return 'has to be JSON, such as ["web-1","web-2"]'
    }
  }
  return null
}

/** The command that starts a run of a blueprint with what was typed; what is left as it was by default is left out. Pure. */
export function commandOf(
  blueprint: { readonly namespace: string; readonly name: string },
  inputs: readonly Input[],
  typed: Readonly<Record<string, string>>,
): string {
  const parts = inputs.flatMap((input) => {
    const text = typed[input.name] ?? input.initial
    if (text.trim() === '' || text === input.initial) return []
    return ` --input ${shellWord(`${input.name}=${valueText(input, text)}`)}`
  })
  return `stateward run ${blueprint.name}${parts.join('')}${blueprint.namespace === 'default' ? '' : ` -n ${blueprint.namespace}`}`
}

/** A text that looks like another type stays a text: the CLI reads JSON where it can. */
function valueText(input: Input, text: string): string {
  if (input.type === 'json') return JSON.stringify(JSON.parse(isJson(text) ? text : JSON.stringify(text)))
  if (input.type === 'string' || input.type === 'choice') return isJson(text) ? JSON.stringify(text) : text
  return text.trim()
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
