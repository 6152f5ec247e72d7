import Type from 'typebox'
import { QUANTITY_PATTERN } from '../../lib/quantity.ts'
import {
  argv,
  choice,
  environmentVariables,
  integer,
  list,
  object,
  objectName,
  optionalAll,
  PATH_PATTERN,
  stringMap,
  text,
} from '../schema-parts.ts'

/** An agent that is a pod of the cluster the controller runs on, or is told of. */

const amounts = (description: string) =>
  object(
    optionalAll({
      cpu: amount('Cores: 500m, 2.'),
      memory: amount('Memory: 512Mi, 2Gi.'),
      'ephemeral-storage': amount('Disk: 1Gi.'),
    }),
    { description },
  )

function amount(description: string) {
  return text({ description, maxLength: 20, pattern: QUANTITY_PATTERN, hint: 'a quantity such as 500m or 2Gi' })
}

const image = text({
  description:
    'The image it runs. A daemon speaks the protocol of daemons; with perTask the image has sh and cat beside the command.',
  minLength: 1,
  maxLength: 512,
  pattern: '^[^\\s]+$',
  hint: 'write it as for a container: registry.example.org/agents/sre:1.4, best with a digest',
})

const podFields = {
  command: argv("The program and its arguments instead of the image's own. With perTask it has to be said."),
  env: environmentVariables(
    'Variables the program gets, beside those Stateward sets. Secrets reach it through a Secret that belongs to the pod.',
  ),
  workdir: text({
    description:
      'A directory of the state repo: its pods find a read-only copy of it at STATEWARD_FILES, and a daemon runs in it. A change below it replaces the pods.',
    minLength: 1,
    maxLength: 1024,
    pattern: PATH_PATTERN,
    hint: "write a path relative to the root of the state repo, without '..'",
  }),
  resources: object(
    optionalAll({
      requests: amounts('What is kept for it.'),
      limits: amounts('What it may take at most.'),
    }),
    { description: 'What its container asks of the node.' },
  ),
  serviceAccountName: objectName(
    "The ServiceAccount it runs as; it gets no token of it. Left out: the namespace's default.",
  ),
  nodeSelector: stringMap({ description: 'Labels of the nodes it may run on.', maxProperties: 32, maxLength: 63 }),
  imagePullSecrets: list(objectName('One Secret of the namespace of pods.'), {
    description: 'Secrets with which the image is pulled.',
    maxItems: 10,
    unique: 'set',
  }),
  runAsUser: integer({
    description: 'The user its program runs as; never root.',
    minimum: 1,
    maximum: 2_147_483_647,
  }),
  ttlSecondsAfterFinished: integer({
    description:
      'How long the pod of a task that has ended stays for whoever wants to look at it. Its log and result are kept here in any case. Left out: 300.',
    minimum: 0,
    maximum: 86_400,
  }),
}

const taskFields = {
  mode: choice(['daemon', 'perTask'], {
    description:
      'daemon: pods that register and pick up tasks. perTask: one pod a task, the task on stdin, the result on stdout.',
    default: 'daemon',
  }),
  stdin: choice(['json', 'prompt'], {
    description: 'What a perTask command reads: the task as one line of JSON, or the bare prompt.',
    default: 'json',
  }),
}

const description =
  'The agent is a pod: without root, capabilities or a writable image, in the namespace of the cluster that the controller keeps for agents.'

export const podMerged = object({ image, ...taskFields, ...optionalAll(podFields) }, { description })
export const optionalPod = Type.Optional(object(optionalAll({ image, ...taskFields, ...podFields }), { description }))
