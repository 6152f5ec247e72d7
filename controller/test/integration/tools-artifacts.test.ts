import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { uuidv7 } from '../../src/lib/ids.ts'
import { type ArtifactDeps, readArtifact } from '../../src/records/artifacts/artifacts.ts'
import { contentFiles } from '../../src/records/artifacts/content-files.ts'
import { toolArtifacts } from '../../src/records/artifacts/of-tools.ts'
import { pageArtifacts } from '../../src/store/queries/artifacts.ts'
import { stepIdOf } from '../../src/store/queries/steps.ts'
import { createTestStore, type TestStore } from '../support/database.ts'
import { startToolStack, type ToolStack } from '../support/tool-stack.ts'

describe('artifact.put', () => {
  const runId = uuidv7()
  let store: TestStore
  let stack: ToolStack
  let folder: string
  let deps: ArtifactDeps
  beforeAll(async () => {
    store = await createTestStore()
    folder = await mkdtemp(join(tmpdir(), 'stateward-artifacts-'))
    deps = { store, files: contentFiles(folder), limits: { maxBytes: 3_000_000, maxTotalBytes: 4_000_000 } }
    const keep = toolArtifacts(deps)
    let attempt = 0
    // Each call is another attempt of one step, unless it is told to be the same.
    stack = await startToolStack({}, (artifact) => {
      if (!artifact.name.startsWith('same')) attempt += 1
      return keep({ ...artifact, operationId: `${runId}/build/${attempt}` })
    })
  })
  afterAll(async () => {
    await stack.close()
    await store.end()
    await rm(folder, { recursive: true })
  })
  const put = (parameters: Record<string, string>) => stack.call('artifact.put', parameters)

  it('keeps a file larger than any output, as it is, with the step that made it', async () => {
    const bytes = randomBytes(2_000_000)
    await writeFile(join(stack.workspace, 'bundle.bin'), bytes)
    const kept = await put({ path: 'bundle.bin', kind: 'bundle', contentType: 'application/x-tar' })
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    expect(kept).toEqual({ artifact_id: expect.any(String), name: 'bundle.bin', bytes: 2_000_000, sha256 })
    const [row] = await pageArtifacts(store.reader, { runId, kind: 'bundle', after: null, limit: 5 })
    expect(row).toMatchObject({
      content_type: 'application/x-tar',
      run_id: runId,
      step_id: stepIdOf(runId, 'build', 1),
      created_by: 'system:controller',
    })
  })

  it('keeps nothing twice when a call is made again', async () => {
    await writeFile(join(stack.workspace, 'report.txt'), 'all is well')
    const first = await put({ path: 'report.txt', name: 'report' })
    expect(await put({ path: 'report.txt', name: 'same report' })).toMatchObject({
      ...(first as object),
      name: 'same report',
    })
    const { content } = await readArtifact(deps, (first as { artifact_id: string }).artifact_id)
    expect(await text(content)).toBe('all is well')
    expect(await pageArtifacts(store.reader, { runId, kind: 'file', after: null, limit: 5 })).toHaveLength(1)
  })

  it('is refused for what is not there, not a file, outside of the folder, or too large', async () => {
    await expect(put({ path: 'nothing' })).rejects.toMatchObject({ ref: 'SW_TOOL_FAILED' })
    await expect(put({ path: '.' })).rejects.toMatchObject({ ref: expect.stringMatching(/^SW_/) })
    await expect(put({ path: '../secret' })).rejects.toMatchObject({ ref: 'SW_PATH_ESCAPES' })
    await symlink('/etc/passwd', join(stack.workspace, 'link'))
    await expect(put({ path: 'link' })).rejects.toMatchObject({ ref: 'SW_PATH_ESCAPES' })
    await writeFile(join(stack.workspace, 'huge'), Buffer.alloc(3_000_001))
    await expect(put({ path: 'huge' })).rejects.toMatchObject({ ref: 'SW_ARTIFACT_TOO_LARGE' })
    await writeFile(join(stack.workspace, 'more'), randomBytes(2_500_000))
    await expect(put({ path: 'more' })).rejects.toMatchObject({ ref: 'SW_ARTIFACTS_FULL' })
  })
})
