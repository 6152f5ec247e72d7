import Type, { type Static } from 'typebox'
import { choice, commonFields, countMap, duration, integer, list, object, optionalAll, text } from '../schema-parts.ts'
import { statusOf } from '../status-parts.ts'

const expression = (description: string) => text({ description, minLength: 1, maxLength: 4096 })

export const sourceSpec = object(
  optionalAll({
    url: text({
      description:
        'Address of the repository, for readers: the configuration of the process decides where it reads from.',
      minLength: 1,
      maxLength: 2048,
    }),
    path: text({
      description: 'Directory that is read instead of a repository, for readers: the configuration decides.',
      minLength: 1,
      maxLength: 1024,
    }),
    ref: text({
      description: 'Branch that is read, for readers: the configuration decides.',
      minLength: 1,
      maxLength: 244,
    }),
    interval: duration({
      description: 'How often the head is looked up, beside being told of a change.',
      default: '60s',
      min: '1s',
      max: '24h',
    }),
    mode: choice(['enforce', 'observe'], {
      description: 'enforce applies each commit; observe only plans it and shows what would change.',
      default: 'enforce',
    }),
    verify: object(
      optionalAll({
        mode: choice(['none', 'head'], {
          description: 'head: nothing is applied whose head is not signed by somebody who may.',
        }),
        allowedSigners: text({ description: 'The file of further signers.', minLength: 1, maxLength: 1024 }),
      }),
      { description: 'How commits are verified, for readers: the configuration decides.' },
    ),
    ignore: list(text({ description: 'One pattern, as in .gitignore.', minLength: 1, maxLength: 1024 }), {
      description: 'Paths that are not read, beside those in .statewardignore.',
      maxItems: 100,
    }),
    healthCheckExprs: list(
      object(
        {
          kind: text({
            description: 'Kind of the objects; Pod: the pods of agents that are pods, judged with their agent.',
            minLength: 1,
            maxLength: 63,
            pattern: '^[A-Z][A-Za-z]*$',
            hint: 'write a kind such as Agent',
          }),
          current: expression('True when an object is healthy.'),
          ...optionalAll({
            inProgress: expression('True while an object is on its way; it is looked at first.'),
            failed: expression('True when an object has failed; it is looked at second.'),
          }),
        },
        {
          description:
            'How the health of objects of one kind is told: CEL over apiVersion, kind, metadata, spec and status.',
        },
      ),
      {
        description:
          'What makes objects of this source healthy beyond what their kinds say: condition HealthCheck, without which they are not Ready, nor is the source.',
        maxItems: 50,
        unique: ['kind'],
      },
    ),
    ...commonFields,
  }),
  { description: 'A source as it is wanted.' },
)

/** A Source's spec as written. */
export type SourceSpec = Static<typeof sourceSpec>

const count = (description: string) => integer({ description, minimum: 0, maximum: Number.MAX_SAFE_INTEGER })

const issue = Type.Object(
  {
    code: text({ description: 'Stable code; docs/errors.md explains it.', maxLength: 63 }),
    severity: choice(['error', 'warning'], { description: 'Whether it keeps the document from being applied.' }),
    message: text({ description: 'What is wrong.', maxLength: 4096 }),
    hint: text({ description: 'What to do about it.', maxLength: 4096 }),
    ...optionalAll({
      file: text({ description: 'Path in the state repo.', maxLength: 4096 }),
      line: count('Line, from 1.'),
      column: count('Column, from 1.'),
      pointer: text({ description: 'Pointer into the document.', maxLength: 4096 }),
      object: text({ description: 'The object it is about.', maxLength: 512 }),
    }),
  },
  { description: 'One problem.' },
)

export const sourceStatus = statusOf(
  optionalAll({
    issues: list(issue, {
      description: 'What is wrong with the last attempted revision; the first 100.',
      maxItems: 100,
    }),
    issueCount: count('How many problems there are.'),
    objects: count('Objects it declares.'),
    ignored: count('Documents of others, not read.'),
    counts: countMap({ description: 'Changes of the last revision by action.', maxProperties: 10 }),
  }),
)
