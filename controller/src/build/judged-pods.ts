import type { HealthSubject } from '../expressions/health.ts'
import { isObject, type JsonObject } from '../lib/json.ts'

/** Pods as health expressions read them; what is not said yet is empty. */
export function judgedPods(pods: readonly JsonObject[]): HealthSubject[] {
  const part = (pod: JsonObject, field: string): JsonObject => {
    const value = pod[field]
    return isObject(value) ? (value as JsonObject) : {}
  }
  return pods.map((pod) => ({
    ...{ apiVersion: 'v1', kind: 'Pod' },
    metadata: part(pod, 'metadata'),
    spec: part(pod, 'spec'),
    status: part(pod, 'status'),
  }))
}
