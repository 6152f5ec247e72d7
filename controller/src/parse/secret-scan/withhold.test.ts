import { expect, test } from 'vitest'
import { GITHUB_TOKEN } from '../../../test/support/fake-secrets.ts'
import { agent, desiredState, parsed, planFromTo, planOf, summaryOf } from '../../../test/support/state-files.ts'
import { keyOf } from '../../kinds/resource.ts'
import { placeOf } from '../../lib/issue.ts'
import { scanFile } from '../parse-file.ts'

const leaking = agent('leaky', { description: GITHUB_TOKEN })

test('the document with the secret is withheld and named, its neighbours stand', () => {
  const file = parsed('a.yaml', [agent('a'), leaking, agent('c')].join('---\n'))
  expect(file.resources.map(keyOf)).toEqual(['Agent/default/a', 'Agent/default/c'])
  expect(file.identified).toEqual(['Agent/default/leaky'])
  expect(file.issues).toMatchObject([{ code: 'SW_PLAINTEXT_SECRET', object: 'Agent/default/leaky', line: 12 }])
})

test('a secret in a comment above a document, or in a document of somebody else, is refused as well', () => {
  const commented = parsed('a.yaml', `# ${GITHUB_TOKEN}\n${agent('a')}`)
  expect(commented.identified).toEqual(['Agent/default/a'])
  const foreign = parsed('b.yaml', `apiVersion: v1\nkind: Secret\nstringData: {t: ${GITHUB_TOKEN}}\n---\n${agent('a')}`)
  expect(foreign.resources.map(keyOf)).toEqual(['Agent/default/a'])
  expect(foreign.issues.map(placeOf)).toEqual(['b.yaml:3:17'])
})

test('an object keeps its last good revision while its document holds a secret', () => {
  const made = planFromTo({ 'a.yaml': agent('leaky') }, { 'a.yaml': leaking })
  expect(made.changes).toMatchObject([{ action: 'blocked', reason: 'ValidationFailed', name: 'leaky', file: 'a.yaml' }])
  expect(JSON.stringify(made)).not.toContain(GITHUB_TOKEN)
})

test('a plan of files without secrets is what it was', () => {
  expect(summaryOf(planFromTo({}, { 'a.yaml': agent('a') }))).toEqual(
    summaryOf(planFromTo({}, { 'a.yaml': `# a comment\n${agent('a')}` })),
  )
})

test('an object that names a file with a secret is blocked at the field that names it', () => {
  const worker = agent('sre', { runtime: { process: { command: ['node', 'main.js'], workdir: 'agents/sre' } } })
  const desired = desiredState({ 'sre.yaml': worker, 'other.yaml': agent('other') })
  const bytes = new TextEncoder().encode(`const t = '${GITHUB_TOKEN}'\n`)
  desired.put(scanFile({ path: 'agents/sre/main.js', oid: 'o', mode: '100644', size: bytes.length, bytes })!)
  const made = planOf(desired, { fileOid: () => 'tree' })
  expect(made.changes.map(({ name, action }) => [name, action])).toEqual([
    ['other', 'create'],
    ['sre', 'blocked'],
  ])
  expect(made.issues).toContainEqual(
    expect.objectContaining({
      object: 'Agent/default/sre',
      pointer: '/spec/runtime/process/workdir',
      message: expect.stringContaining('agents/sre/main.js:1:12'),
    }),
  )
})
