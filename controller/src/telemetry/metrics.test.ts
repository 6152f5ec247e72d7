import { describe, expect, it } from 'vitest'
import { createMetrics } from './metrics.ts'

describe('metrics', () => {
  it('shows the families that Kubernetes dashboards know and our own', async () => {
    const metrics = createMetrics({ version: '0.1.0', processMetrics: false })
    metrics.queue.added('objects')
    metrics.queue.depth('objects', 3)
    metrics.queue.retried('objects')
    metrics.queue.taken('objects', 0.01)
    metrics.queue.done('objects', 0.02)
    metrics.reconcile.reconciled('agent', 'success', 0.01)
    metrics.reconcile.reconciled('agent', 'error', 0.01)
    metrics.stateward.leader(true)
    metrics.stateward.synced('applied', 0.1)
    metrics.stateward.objects('Agent', 2, 1)
    metrics.stateward.logHead(42)
    metrics.stateward.journaled(0.002)
    metrics.stateward.runEnded('completed', 1)
    metrics.stateward.stepEnded('gate', 'completed', 1)
    metrics.stateward.agentInstances('running', 2)
    metrics.stateward.agents('healthy', 2)
    metrics.stateward.openTasks('queued', 1)
    metrics.stateward.httpAnswered('GET', '/api/v1/runs', 200, 0.003)
    metrics.stateward.streams('sse', 1)
    metrics.stateward.streamDropped('watch')
    const text = await metrics.text()
    for (const line of [
      'workqueue_depth{name="objects"} 3',
      'workqueue_adds_total{name="objects"} 1',
      'workqueue_retries_total{name="objects"} 1',
      'controller_runtime_reconcile_total{controller="agent",result="error"} 1',
      'controller_runtime_reconcile_errors_total{controller="agent"} 1',
      'stateward_leader 1',
      'stateward_objects{kind="Agent",ready="false"} 1',
      'stateward_log_seq 42',
      'stateward_http_request_duration_seconds_count{method="GET",route="/api/v1/runs",status="200"} 1',
      'stateward_streams_dropped_total{kind="watch"} 1',
      'stateward_build_info{version="0.1.0"} 1',
    ]) {
      expect(text).toContain(line)
    }
  })

  it('keeps the numbers of two registries apart', async () => {
    const one = createMetrics({ version: '1', processMetrics: false })
    const two = createMetrics({ version: '2', processMetrics: false })
    one.stateward.logHead(7)
    expect(await two.text()).toContain('stateward_log_seq 0')
  })
})
