import { valueAt } from '../../lib/json.ts'

/** Whether each task of an agent is a command, or a pod, of its own: nothing of it runs between tasks. */
export function isPerTask(spec: Readonly<Record<string, unknown>>): boolean {
  return valueAt(spec, '/runtime/process/mode') === 'perTask' || valueAt(spec, '/runtime/pod/mode') === 'perTask'
}
