import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Complexity } from '../request.ts'
import { complexityOf } from './complexity.ts'

const of = (text: string) => complexityOf({ messages: [{ role: 'user', text }], tools: [], outputSchema: null })

const LABELLED: readonly (readonly [Complexity, string])[] = [
  ['low', 'Say hello.'],
  ['low', 'Is it up? Answer yes or no.'],
  ['low', 'Classify this alert: disk full on web-1.'],
  ['low', 'Extract the host name from: CRIT web-1 nginx'],
  ['low', 'Which of these is a port number: 80, nginx, web?'],
  ['low', 'Count the words in this line.'],
  ['low', 'What time is it in UTC?'],
  ['low', 'Label the ticket as bug or feature.'],
  ['low', 'Detect the language of: guten Tag'],
  ['low', 'ping'],
  ['medium', 'Explain what the error ECONNREFUSED means.'],
  ['medium', 'Summarize this incident in two sentences.'],
  ['medium', 'Why does nginx answer 502 here?'],
  ['medium', 'Write a commit message for a change of the port from 80 to 8080.'],
  ['medium', 'Suggest a name for this agent.'],
  ['medium', 'Rewrite the paragraph for readers who are new to it.'],
  ['medium', 'Describe the steps to rotate a certificate.'],
  ['medium', 'Review this sentence for mistakes.'],
  ['medium', 'How can I find large files on a disk?'],
  ['medium', 'Draft a message to the team about the maintenance window.'],
  ['high', 'Find the root cause of the outage and propose a fix with its trade-offs.'],
  ['high', 'Design an architecture for a distributed queue that survives the loss of a zone.'],
  ['high', 'Investigate why the service restarts, then plan the migration to the new host.'],
  ['high', 'Refactor this module so that the scheduler has no race conditions.'],
  ['high', 'Implement an algorithm that merges two sorted lists, and prove that it ends.'],
  ['high', 'Write a threat model of the login, and a strategy to reduce the risks.'],
  ['high', 'Diagnose the deadlock in the following trace step by step.'],
  ['high', 'Write the post-mortem of the incident with root cause, timeline and actions.'],
  ['high', 'Debug this:\n```ts\nconst a = await b\n```\nand explain why it hangs.'],
  [
    'high',
    'Please do the following:\n1. read the log\n2. explain it\n3. suggest a fix\n4. write the change\n5. review it',
  ],
]

test('there are thirty labelled prompts', () => {
  expect(LABELLED).toHaveLength(30)
})

test.each(LABELLED)('%s: %s', (label, text) => {
  expect(of(text)).toBe(label)
})

test('a very long text is never simple', () => {
  expect(of(`Say what this is: ${'word '.repeat(3000)}`)).not.toBe('low')
})

test('the same text has the same answer, and any text has one', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 3000 }), (text) => {
      expect(['low', 'medium', 'high']).toContain(of(text))
      expect(of(text)).toBe(of(text))
    }),
  )
})

test('only the last message of the user counts', () => {
  const messages = [
    { role: 'user' as const, text: 'Find the root cause and design the architecture.' },
    { role: 'assistant' as const, text: 'Done.', toolCalls: [] },
    { role: 'user' as const, text: 'Say ok.' },
  ]
  expect(complexityOf({ messages, tools: [], outputSchema: null })).toBe('low')
})
