import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { ARTEFACTS, GENERATED_FOLDERS } from './artefacts.ts'
import { bringUpToDate, findStale } from './generate.ts'

/**
 * `npm run generate` writes every generated file; `npm run generate -- --check` writes nothing, names those that differ
 * from the source code and ends with 1 when there are any.
 */
const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } })
const root = fileURLToPath(new URL('../../../../', import.meta.url))
const staleness = await findStale(root, ARTEFACTS, GENERATED_FOLDERS)

if (values.check) {
  for (const { path } of staleness.stale) process.stderr.write(`stale: ${path}\n`)
  for (const path of staleness.leftover) process.stderr.write(`no longer generated: ${path}\n`)
  if (staleness.stale.length + staleness.leftover.length > 0) {
    process.stderr.write('run `npm run generate` and commit the result\n')
    process.exitCode = 1
  }
} else {
  await bringUpToDate(root, staleness)
  for (const { path } of staleness.stale) process.stdout.write(`wrote ${path}\n`)
  for (const path of staleness.leftover) process.stdout.write(`removed ${path}\n`)
  process.stdout.write(`${ARTEFACTS.length} files are up to date\n`)
}
