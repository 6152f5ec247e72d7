import { isObject, valueAt } from '../../lib/json.ts'
import type { SpecProblem } from '../definition.ts'

/** What a runtime cannot do with fields that mean something to another one: nothing is accepted that would have no effect. */

type Spec = Readonly<Record<string, unknown>>
type Elsewhere = 'pod' | 'model' | 'external'

const NO_HOST: Readonly<Record<Elsewhere, string>> = {
  pod: 'a pod runs on a node of the cluster, not on a host',
  model: 'a model runs on no host',
  external: 'nobody here starts an external agent',
}

/** Problems of the fields that are there; also of a template, whose fields may be few. */
export function runtimeProblems(spec: Spec): SpecProblem[] {
  const runtime = (['pod', 'model', 'external'] as const).find((one) => isObject(valueAt(spec, `/runtime/${one}`)))
  if (runtime === undefined) return []
  return [...hostProblems(spec, runtime), ...(runtime === 'pod' ? podProblems(spec) : [])]
}

/** What is missing in the merged spec; a template could have given it. */
export function wholeRuntimeProblems(spec: Spec): SpecProblem[] {
  if (valueAt(spec, '/runtime/pod/mode') !== 'perTask' || valueAt(spec, '/runtime/pod/command') !== undefined) return []
  return [
    problem(
      '/runtime/pod/command',
      'with mode: perTask the command has to be said: its stdin is the task and its stdout the result',
      "write the program of the image and its arguments, as a list; the image's own command is not known here",
      'SW_MISSING_FIELD',
    ),
  ]
}

function hostProblems(spec: Spec, runtime: Elsewhere): SpecProblem[] {
  const why = NO_HOST[runtime]
  const problems: SpecProblem[] = []
  const labels = valueAt(spec, '/hostSelector/matchLabels')
  if (isObject(labels) && Object.keys(labels).length > 0)
    problems.push(
      problem(
        '/hostSelector',
        `${why}: hostSelector chooses nothing`,
        runtime === 'pod' ? 'take it out; runtime.pod.nodeSelector chooses nodes' : 'take it out',
      ),
    )
  if (valueAt(spec, '/resources/memory') !== undefined)
    problems.push(
      problem(
        '/resources/memory',
        `${why}: resources.memory is kept for nobody`,
        runtime === 'pod' ? 'take it out; runtime.pod.resources says what its container asks for' : 'take it out',
      ),
    )
  const slots = valueAt(spec, '/resources/slots')
  if (slots !== undefined && slots !== 1)
    problems.push(problem('/resources/slots', `${why}: resources.slots takes no room`, 'take it out'))
  if (spec['dataAccess'] === 'bulk')
    problems.push(
      problem(
        '/dataAccess',
        `${why}: dataAccess: bulk is for processes on hosts with the label database: "true"`,
        'leave it out, or make it an agent with runtime.process',
      ),
    )
  if (spec['keepWorkspace'] === true)
    problems.push(
      problem(
        '/keepWorkspace',
        `${why}: there is no folder that keepWorkspace could keep`,
        runtime === 'pod' ? 'take it out; a pod of a task stays for ttlSecondsAfterFinished' : 'take it out',
      ),
    )
  return problems
}

function podProblems(spec: Spec): SpecProblem[] {
  const pod = valueAt(spec, '/runtime/pod') as Spec
  if (pod['mode'] !== 'daemon') return []
  return [
    ...(pod['stdin'] === 'prompt'
      ? [
          problem(
            '/runtime/pod/stdin',
            'stdin: prompt works with mode: perTask only; a daemon reads its tasks over the bus',
            'set mode: perTask, or leave stdin out',
          ),
        ]
      : []),
    ...(pod['ttlSecondsAfterFinished'] === undefined
      ? []
      : [
          problem(
            '/runtime/pod/ttlSecondsAfterFinished',
            'ttlSecondsAfterFinished is for pods of tasks (mode: perTask); the pod of a daemon makes room for its successor',
            'set mode: perTask, or leave it out',
          ),
        ]),
  ]
}

function problem(
  pointer: string,
  message: string,
  hint: string,
  code: SpecProblem['code'] = 'SW_BAD_VALUE',
): SpecProblem {
  return { code, pointer: `/spec${pointer}`, message, hint }
}
