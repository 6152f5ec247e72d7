import type { Complexity, Prompt } from '../request.ts'

/**
 * How complex a request is, by its words alone: the same text has the same answer everywhere and always. It is a cheap guess
 * that decides which model is asked first; whoever knows better says so in the request.
 */

/** Words of work that needs several steps of thought. */
const HARD =
  /\b(architect\w*|design\w*|root cause|trade-?offs?|refactor\w*|migrat\w+|prove|proof|optimi[sz]\w+|strateg\w+|threat model\w*|post-?mortem|concurren\w+|race conditions?|deadlocks?|distributed|algorithms?|diagnos\w+|investigat\w+|plan the|implement\w*|debug\w*|reason (about|through)|compare .* (and|with|to)|step[- ]by[- ]step)\b/gi

/** Words of work that reads a text and says something of it. */
const MIDDLE =
  /\b(explain\w*|summari[sz]\w*|analy[sz]\w*|why|describe|rewrite|review\w*|draft|write|generate|suggest\w*|recommend\w*|convert|document\w*|how (do|can|should|would)|evaluate|find the|outline|propose)\b/gi

/** Words of work that looks something up or sorts it. */
const EASY =
  /\b(classif\w+|extract|yes or no|true or false|translate the word|ping|status|list the|count|say|echo|format|what time|which of|label|detect|is it|are there|hello|hi|thanks|ok)\b/gi

const LONG = 6_000
const MIDDLING = 1_500

export function complexityOf(prompt: Pick<Prompt, 'messages' | 'tools' | 'outputSchema'>): Complexity {
  const text = lastUserText(prompt)
  const asked = text.length
  let score = weight(text, HARD, 3, 9) + weight(text, MIDDLE, 1, 3) - weight(text, EASY, 1, 2)
  score += asked > LONG ? 4 : asked > MIDDLING ? 2 : asked > 400 ? 1 : 0
  // Numbered requirements are several questions.
  score += Math.min(3, Math.max(0, (text.match(/^\s*(\d+[.)]|[-*])\s/gm)?.length ?? 0) - 1))
  score += /```/.test(text) ? 2 : 0
  score += prompt.tools.length > 5 ? 1 : 0
  if (score >= 4) return 'high'
  return score >= 1 ? 'medium' : 'low'
}

function lastUserText({ messages }: Pick<Prompt, 'messages'>): string {
  for (let i = messages.length - 1; i >= 0; i--) {
    const message = messages[i]!
    if (message.role === 'user') return message.text
  }
  return ''
}

/** Each different word counts once. */
function weight(text: string, words: RegExp, each: number, most: number): number {
  const found = new Set((text.match(words) ?? []).map((word) => word.toLowerCase()))
  return Math.min(most, found.size * each)
}

/** The layer of models that answers what is so complex. */
export const LAYER_OF = { low: 'operational', medium: 'tactical', high: 'strategic' } as const satisfies Record<
  Complexity,
  string
>
