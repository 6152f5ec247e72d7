import type { V1Container, V1EnvVar, V1Pod, V1Volume, V1VolumeMount } from '@kubernetes/client-node'
import { graceMsOf } from '../../agent-target.ts'
import { CONTAINER, POD_FILES, POD_WORKSPACE, type PodRequest, RESULT_CONTAINER, TASK_KEY } from './pod-request.ts'

const USER = 1000
const TASK_FOLDER = '/stateward/task'
const RESULT_FOLDER = '/stateward/result'
/** What a command prints beyond this has its pod evicted by the node; what is beyond the limit of a result is refused here. */
const RESULT_SIZE = '16Mi'
/** A controller that is just being replaced is back by then. */
const FETCHES = 30

/**
 * Fetches one tree by its id, so that the pod has exactly what was applied, whatever was pushed since, and nothing else of the
 * repository.
 */
const FETCH = `git init --quiet --bare /tmp/state
cd /tmp/state
n=0
until git fetch --quiet --no-tags "$STATEWARD_GIT_URL" "$STATEWARD_TREE"; do
  n=$((n + 1))
  [ "$n" -lt ${FETCHES} ] || exit 1
  sleep 2
done
git --work-tree=${POD_FILES} read-tree "$STATEWARD_TREE"
git --work-tree=${POD_FILES} checkout-index --all
cd /
rm -rf /tmp/state`

/** The command takes the shell's place: signals reach it, and its exit code is the container's. */
const RUN = `exec "$@" <${TASK_FOLDER}/input >${RESULT_FOLDER}/out`

export interface PodEnvironment {
  readonly secretName: string
  readonly plain: Readonly<Record<string, string>>
  /** Variables whose values are in the Secret. */
  readonly secret: readonly string[]
}

/**
 * What runs in a pod. A daemon is its one container. The command of a task is an init container, whose stdout is a file that
 * the container after it prints: its log is then the result alone, exactly as it was printed, and the command's own log is what
 * it wrote to stderr. A command that fails is the end of its pod.
 */
export function podSpec(request: PodRequest, environment: PodEnvironment): NonNullable<V1Pod['spec']> {
  const { target, runtime, task, files } = request
  const { serviceAccountName, nodeSelector, imagePullSecrets, runAsUser = USER } = runtime
  const env = variablesOf(environment)
  const fetching = files === null ? [] : [filesContainer(files, environment)]
  const agent = agentContainer(request, env)
  const seconds = task?.seconds ?? null
  return {
    // Whether and when it is started again is decided here, as for processes.
    restartPolicy: 'Never',
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: Math.max(1, Math.round(graceMsOf(target.spec) / 1000)),
    ...(seconds === null ? {} : { activeDeadlineSeconds: seconds }),
    ...(serviceAccountName === undefined ? {} : { serviceAccountName }),
    ...(nodeSelector === undefined ? {} : { nodeSelector }),
    ...(imagePullSecrets === undefined ? {} : { imagePullSecrets: imagePullSecrets.map((name) => ({ name })) }),
    securityContext: {
      runAsNonRoot: true,
      runAsUser,
      runAsGroup: runAsUser,
      fsGroup: runAsUser,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    ...(task === null
      ? { ...(fetching.length === 0 ? {} : { initContainers: fetching }), containers: [agent] }
      : { initContainers: [...fetching, agent], containers: [resultContainer(request)] }),
    volumes: volumesOf(request, environment.secretName),
  }
}

function agentContainer({ runtime, files, task }: PodRequest, env: readonly V1EnvVar[]): V1Container {
  const { image, command, resources } = runtime
  const words = task === null ? command : ['sh', '-c', RUN, 'sh', ...(command ?? [])]
  return {
    name: CONTAINER,
    image,
    ...(words === undefined ? {} : { command: words.map(literal) }),
    // As on a host: a daemon runs in its files, a command in its task's own folder.
    workingDir: task === null && files !== null ? POD_FILES : POD_WORKSPACE,
    env: [...env],
    ...resourcesOf(resources),
    securityContext: CONFINED,
    volumeMounts: [
      ...WRITABLE,
      ...(files === null ? [] : [{ name: 'files', mountPath: POD_FILES, readOnly: true }]),
      ...(task === null
        ? []
        : [
            { name: 'task', mountPath: TASK_FOLDER, readOnly: true },
            { name: 'result', mountPath: RESULT_FOLDER },
          ]),
    ],
  }
}

/** It takes no more of the node than the command before it did. */
function resultContainer({ runtime }: PodRequest): V1Container {
  return {
    name: RESULT_CONTAINER,
    image: runtime.image,
    command: ['cat', `${RESULT_FOLDER}/out`],
    ...resourcesOf(runtime.resources),
    securityContext: CONFINED,
    volumeMounts: [{ name: 'result', mountPath: RESULT_FOLDER, readOnly: true }],
  }
}

/** Only what git needs is told to it: nothing that was declared for the agent. */
function filesContainer(files: NonNullable<PodRequest['files']>, environment: PodEnvironment): V1Container {
  const isOfGit = (name: string) => name.startsWith('GIT_CONFIG_') || name === 'STATEWARD_GIT_URL'
  const env = variablesOf(environment).filter(({ name }) => isOfGit(name))
  return {
    name: 'files',
    image: files.image,
    command: ['sh', '-ec', FETCH],
    env: [...env, { name: 'HOME', value: '/tmp' }, { name: 'STATEWARD_TREE', value: files.tree }],
    resources: { requests: { cpu: '10m', memory: '32Mi' }, limits: { memory: '512Mi' } },
    securityContext: CONFINED,
    volumeMounts: [
      { name: 'files', mountPath: POD_FILES },
      { name: 'tmp', mountPath: '/tmp' },
    ],
  }
}

function resourcesOf(resources: PodRequest['runtime']['resources']): Pick<V1Container, 'resources'> {
  return resources === undefined ? {} : { resources: structuredClone(resources) }
}

const CONFINED = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
}

const WRITABLE: readonly V1VolumeMount[] = [
  { name: 'workspace', mountPath: POD_WORKSPACE },
  { name: 'tmp', mountPath: '/tmp' },
]

function volumesOf({ files, task }: PodRequest, secretName: string): V1Volume[] {
  return [
    { name: 'workspace', emptyDir: {} },
    { name: 'tmp', emptyDir: {} },
    ...(files === null ? [] : [{ name: 'files', emptyDir: {} }]),
    ...(task === null
      ? []
      : [
          // Read by the group of the pod's user.
          { name: 'task', secret: { secretName, defaultMode: 0o440, items: [{ key: TASK_KEY, path: 'input' }] } },
          { name: 'result', emptyDir: { sizeLimit: RESULT_SIZE } },
        ]),
  ]
}

function variablesOf({ secretName, plain, secret }: PodEnvironment): V1EnvVar[] {
  return [
    ...Object.entries(plain).map(([name, value]) => ({ name, value: literal(value) })),
    ...secret.map((name) => ({ name, valueFrom: { secretKeyRef: { name: secretName, key: name } } })),
  ]
}

/** A dollar sign before a parenthesis would be taken for another variable's name. */
function literal(text: string): string {
  return text.replaceAll('$(', () => '$$(')
}
