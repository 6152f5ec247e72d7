import type { ModelSpec } from '../kinds/model-provider/model-provider.schema.ts'
import type { ModelRequest, Prompt, Usage } from './request.ts'
import type { Prices } from './routing/view.ts'

const MILLION = 1_000_000n
/** Few languages have fewer characters a token. */
const CHARACTERS_A_TOKEN = 3
/** The longest answer of a model that nobody limits, as far as money is kept for it. */
const ANSWER_TOKENS = 4096

/** Of prompts that are being asked: routing, price and limits ask for each candidate. */
const estimates = new WeakMap<object, number>()

/** About how many tokens a prompt has; rather too many. */
export function estimateTokens(prompt: Counted): number {
  let tokens = estimates.get(prompt)
  if (tokens === undefined) {
    tokens = Math.ceil(charactersOf(prompt) / CHARACTERS_A_TOKEN) + 8
    estimates.set(prompt, tokens)
  }
  return tokens
}

type Counted = Pick<Prompt, 'system' | 'messages' | 'tools' | 'outputSchema'>

function charactersOf(prompt: Counted): number {
  let characters = prompt.system?.length ?? 0
  for (const message of prompt.messages) {
    if (message.role === 'user') characters += message.text.length
    else if (message.role === 'assistant')
      characters += message.text.length + (message.toolCalls.length > 0 ? JSON.stringify(message.toolCalls).length : 0)
    else characters += JSON.stringify(message.results).length
  }
  if (prompt.tools.length > 0) characters += JSON.stringify(prompt.tools).length
  if (prompt.outputSchema !== null) characters += JSON.stringify(prompt.outputSchema).length
  return characters
}

/** Tokens of the longest answer the request allows. */
function longestAnswer(request: Pick<Prompt, 'maxTokens'>, model: ModelSpec | undefined): number {
  return answerLimit(request, model) ?? ANSWER_TOKENS
}

/** Tokens an answer may have: a request may ask for less than its model gives. Null = nobody says. */
export function answerLimit({ maxTokens }: Pick<Prompt, 'maxTokens'>, model: ModelSpec | undefined): number | null {
  const most = model?.maxTokens
  return maxTokens === null || most === undefined ? (maxTokens ?? most ?? null) : Math.min(maxTokens, most)
}

/** What the call costs at most, in nano-USD: what is kept for it. */
export function worstPrice(
  request: Pick<ModelRequest, 'system' | 'messages' | 'tools' | 'outputSchema' | 'maxTokens'>,
  model: ModelSpec | undefined,
  prices: Prices,
): bigint {
  return costOf({ inputTokens: estimateTokens(request), outputTokens: longestAnswer(request, model) }, prices)
}

/** What tokens cost, in nano-USD, rounded up. */
export function costOf({ inputTokens, outputTokens }: Usage, { input, output }: Prices): bigint {
  const total = BigInt(inputTokens) * input + BigInt(outputTokens) * output
  return (total + MILLION - 1n) / MILLION
}
