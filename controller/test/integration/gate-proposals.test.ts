import { afterEach, describe, expect, it } from 'vitest'
import { until } from '../support/agent-fleet.ts'
import { git, tipOf } from '../support/git-remote.ts'
import { manifest } from '../support/state-files.ts'
import { createInstallation, type Installation } from '../support/stateward.ts'

const open: Installation[] = []
afterEach(async () => {
  for (const installation of open.splice(0)) await installation.end()
})

const gated = (gate: object = {}) =>
  manifest('Blueprint', 'gated', {
    plan: [
      { id: 'approve', kind: 'gate', mode: 'pullRequest', message: 'Restart it?', ...gate },
      { id: 'after', kind: 'transform', expression: 'steps.approve.output' },
    ],
    outputs: [{ name: 'said', value: '{{ steps.after.output }}' }],
  })

/** An installation with a run that waits at its gate, and the branch its decision is proposed on. */
async function waiting(gate: object = {}) {
  const here = await createInstallation({ 'blueprints/gated.yaml': gated(gate) })
  open.push(here)
  await here.start()
  const { body } = await here.post('/api/v1/runs', { blueprint_ref: 'gated', name: 'gated-1' })
  const branch = 'proposals/gated-1-approve'
  await until('the branch', () => tipOf(here.repo, branch) !== null)
  return { here, runId: String(body['run_id']), branch, file: 'approvals/gated-1-approve.yaml' }
}

async function ended({ sql }: Installation, runId: string): Promise<Record<string, unknown>> {
  return until('the end of the run', async () => {
    const [run] = await sql`SELECT status, outputs, error FROM runs WHERE run_id = ${runId}`
    return ['completed', 'failed'].includes(String(run?.['status'])) ? (run as Record<string, unknown>) : null
  })
}

describe('a gate of mode pullRequest', () => {
  it('proposes its decision on a branch of its own, and no command approves it', async () => {
    const { here, branch, file } = await waiting()
    const text = git(here.repo, ['show', `${branch}:${file}`])
    expect(text).toContain('# Restart it?')
    expect(text).toMatch(
      /kind: Approval[\s\S]*runRef:\s+name: gated-1\s+step: approve\s+inputDigest: [0-9a-f]{64}\s+decision: approve/,
    )
    const events = await until('the event', async () => {
      const found = (await here.events()).filter(({ event_name: name }) => name === 'stateward.run.gate.proposed')
      return found.length > 0 && found
    })
    expect(events).toMatchObject([{ data: { run: 'gated-1', step: 'approve', branch } }])
    const answer = await here.post('/api/v1/gates/gated-1.approve/approve', {})
    expect(answer).toMatchObject({ status: 409, body: { error: { code: 'conflict', details: { proposal: branch } } } })
  })

  it('is decided by the merge of that branch, by whoever merged it', async () => {
    const { here, runId, branch, file } = await waiting()
    const document = git(here.repo, ['show', `${branch}:${file}`])
    await here.apply({ [file]: document }, 'Merge the approval')
    const author = git(here.repo, ['log', '-1', '--format=%ae', 'main']).trim()
    expect(await ended(here, runId)).toMatchObject({
      status: 'completed',
      outputs: { said: { decision: 'approved', actor: `git:${author}` } },
    })
    const key = 'Approval/default/gated-1-approve'
    await here.untilCondition(key, 'Ready', 'True')
    expect(here.object(key).status).toMatchObject({ outcome: 'decided', actor: `git:${author}` })
  })

  it('is decided by a fast-forward, too, though nobody knows whose', async () => {
    const { here, runId, branch } = await waiting()
    git(here.repo, ['update-ref', 'refs/heads/main', `refs/heads/${branch}`])
    expect(await ended(here, runId)).toMatchObject({ outputs: { said: { actor: 'source:state' } } })
  })

  it('counts no document that was written for another question, and none that comes too late', async () => {
    const { here, runId, branch, file } = await waiting()
    const document = git(here.repo, ['show', `${branch}:${file}`])
    const key = 'Approval/default/gated-1-approve'
    await here.apply({ [file]: document.replace(/inputDigest: .*/, `inputDigest: ${'a'.repeat(64)}`) })
    await here.untilCondition(key, 'Ready', 'False', 'ValidationFailed')
    expect((await here.post('/api/v1/gates/gated-1.approve/reject', { reason: 'no' })).status).toBe(200)
    expect(await ended(here, runId)).toMatchObject({ status: 'failed', error: { code: 'gate_rejected' } })
    await here.apply({ [file]: document })
    await here.untilCondition(key, 'Ready', 'True')
    expect(here.object(key).status).toMatchObject({ outcome: 'late' })
  })

  it('takes the answer it asks for from the document', async () => {
    const { here, runId, branch, file } = await waiting({ inputSchema: { type: 'object', required: ['window'] } })
    const document = git(here.repo, ['show', `${branch}:${file}`])
    await here.apply({ [file]: document })
    await here.untilCondition('Approval/default/gated-1-approve', 'Ready', 'False', 'ValidationFailed')
    await here.apply({ [file]: `${document.trimEnd()}\n  input: {window: tonight}\n` })
    expect(await ended(here, runId)).toMatchObject({ outputs: { said: { window: 'tonight' } } })
  })

  it('is proposed after a restart when the process ended before', async () => {
    const { here, branch } = await waiting()
    await here.stop()
    git(here.repo, ['update-ref', '-d', `refs/heads/${branch}`])
    await here.sql`UPDATE gates SET proposed_at = NULL`
    await here.start()
    await until('the branch again', () => tipOf(here.repo, branch) !== null)
  })
})
