import { expect, test } from 'vitest'
import { KINDS, kindOf } from '../../kinds/registry.ts'
import { ERRORS } from '../../lib/error-catalogue.ts'
import { ISSUE_CODES, PROPOSAL_ISSUE_CODES } from '../../lib/issue-catalogue.ts'
import { ARTEFACTS } from './artefacts.ts'
import { errorsPage } from './errors-page.ts'
import { kindPage, kindsIndex } from './kind-page.ts'

test('a page shows the example, the fields with default and limits, conditions and reasons', () => {
  const page = kindPage(kindOf('Agent')!)
  expect(page).toContain('```yaml\napiVersion: stateward.dev/v1alpha1\nkind: Agent')
  expect(page).toContain('| `spec.runtime.process.mode` | string | `"daemon"` | one of `daemon`, `perTask` |')
  expect(page).toContain('| `spec.heartbeat.timeout` | duration | `"90s"` | 2s to 24h |')
  expect(page).toContain('| `HeartbeatMissed` | no heartbeat within the timeout |')
  expect(page).toContain('| `Drifted` | False or absent |')
})

test('a step says which kinds take a field', () => {
  expect(kindPage(kindOf('Blueprint')!)).toContain('only `agent_task` (required)')
})

test('a kind that is not enforced says so', () => {
  expect(kindPage({ ...kindOf('Policy')!, notYetEnforced: true })).toContain('**Not enforced yet.**')
  expect(kindPage(kindOf('Agent')!)).not.toContain('Not enforced yet')
})

test('every row of every table has as many cells as its head', () => {
  for (const page of [...KINDS.map(kindPage), kindsIndex(KINDS), errorsPage()]) {
    let width = 0
    for (const line of page.split('\n')) {
      const cells = line.startsWith('|') ? line.replaceAll('\\|', '').split('|').length : 0
      if (width > 0 && cells > 0) expect(cells, line).toBe(width)
      width = cells
    }
  }
})

test('the errors page lists every reference and every issue code', () => {
  const page = errorsPage()
  for (const reference of [...Object.keys(ERRORS), ...Object.keys(ISSUE_CODES), ...Object.keys(PROPOSAL_ISSUE_CODES)])
    expect(page).toContain(`| \`${reference}\` |`)
})

test('no two artefacts have one path, and rendering twice gives the same text', async () => {
  expect(new Set(ARTEFACTS.map(({ path }) => path)).size).toBe(ARTEFACTS.length)
  // The schema of the database needs a server; the golden test of generated files renders it.
  const texts = ARTEFACTS.filter(({ path }) => !path.endsWith('.sql'))
  for (const artefact of texts) expect(await artefact.render()).toBe(await artefact.render())
})
