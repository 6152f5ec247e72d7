// One command a task: reads the Markdown below inputs.folder and prints what is wrong with it, with a report to keep.

import { text } from 'node:stream/consumers'
import { readMarkdown } from './files.mjs'
import { reportOf } from './report.mjs'
import { review } from './rules.mjs'

const { inputs } = JSON.parse(await text(process.stdin))
try {
  const found = await readMarkdown(String(inputs.folder ?? ''))
  const problems = review(found)
  console.error(`${found.documents.length} files, ${problems.length} problems`)
  console.log(
    JSON.stringify({
      files: found.documents.length,
      problems,
      report: reportOf(String(inputs.folder), found, problems),
    }),
  )
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
}
