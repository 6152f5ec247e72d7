// One command a task: proposes inputs.text as the file inputs.file of the state repo. An agent changes nothing itself: it asks the
// bus for a branch with its commit, and a person merges it.

import { text } from 'node:stream/consumers'

const { STATEWARD_URL, STATEWARD_TOKEN } = process.env
const task = JSON.parse(await text(process.stdin))
const { file, text: content, title } = task.inputs

try {
  if (typeof file !== 'string' || typeof content !== 'string') throw new Error('inputs: file and text have to be given')
  const response = await fetch(`${STATEWARD_URL}/api/v1/proposals`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${STATEWARD_TOKEN}`,
      'content-type': 'application/json',
      // What this task leads to can be found under the same id.
      'x-correlation-id': task.correlation_id,
      // A task that is given out again proposes the same, and not twice.
      'idempotency-key': `scribe-${task.task_id}`,
    },
    body: JSON.stringify({
      title: title ?? `Write ${file}`,
      description: task.prompt,
      files: { [file]: content.endsWith('\n') ? content : `${content}\n` },
      run_id: task.run_id,
    }),
  })
  const answer = await response.json()
  if (!response.ok) throw new Error(`${answer.error.code}: ${answer.error.message}`)
  console.error(`proposed ${file} as ${answer.id}`)
  console.log(JSON.stringify({ proposal: answer.id, branch: answer.branch, head: answer.head }))
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
}
