import Type, { type Static } from 'typebox'
import { closest } from '../lib/closest.ts'
import { pointerToken } from '../lib/json.ts'
import { GROUP, type Scope, type SpecProblem } from './definition.ts'
import { LABEL_PATTERN, NAME_HINT, NAME_PATTERN, object, text } from './schema-parts.ts'

/** Annotations of ours that a file may carry, with the values they take or their form (null: any). */
const ANNOTATIONS: Readonly<Record<string, readonly string[] | RegExp | null>> = {
  [`${GROUP}/reconcile`]: ['enabled', 'disabled'],
  [`${GROUP}/prune`]: ['enabled', 'disabled'],
  [`${GROUP}/driftMode`]: ['enforce', 'warn', 'off'],
  [`${GROUP}/requestedAt`]: null,
  [`${GROUP}/v0-id`]: null,
  [`${GROUP}/allow-secret`]: /^[0-9a-f]{12}(\s*,\s*[0-9a-f]{12}){0,99}$/,
}

/** Annotations that do something once, with the right of whoever sends them; as a part of a document they have no sender. */
const ACTS: Readonly<Record<string, string>> = {
  [`${GROUP}/suspend`]: 'set spec.suspend, which whoever may write the document may write, or run stateward pause',
  [`${GROUP}/approve`]: 'decide the gate of a run with stateward approve, or annotate the run at the API of Stateward',
  [`${GROUP}/reject`]: 'decide the gate of a run with stateward reject, or annotate the run at the API of Stateward',
}

const ANNOTATION_BYTES = 256 * 1024
const MAX_ENTRIES = 64
const QUALIFIED_NAME = /^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/
const LABEL_VALUE = /^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$/

const stringValues = (description: string, maxLength: number) =>
  Type.Unsafe<Record<string, string>>({
    type: 'object',
    description,
    maxProperties: MAX_ENTRIES,
    additionalProperties: { type: 'string', maxLength },
  })

const name = text({
  description: 'Name, unique among the objects of its kind and namespace.',
  minLength: 1,
  maxLength: 63,
  pattern: NAME_PATTERN,
  hint: NAME_HINT,
})

/** What a file says under `metadata`. */
export const metadataSchema = object(
  {
    name,
    namespace: Type.Optional(
      text({
        description: "Namespace: the environment it belongs to. Left out: the source's default.",
        minLength: 1,
        maxLength: 63,
        pattern: LABEL_PATTERN,
        hint: "use lower-case letters, digits and '-'",
      }),
    ),
    labels: Type.Optional(stringValues('Labels, for selecting.', 63)),
    annotations: Type.Optional(stringValues('Annotations: notes for people and programs.', ANNOTATION_BYTES)),
  },
  { description: 'Who the object is.' },
)

export type Metadata = Static<typeof metadataSchema>

/** What the schema cannot say of metadata that passed it. */
export function checkMetadata(metadata: Metadata, scope: Scope): SpecProblem[] {
  const problems: SpecProblem[] = []
  if (scope === 'Cluster' && metadata.namespace !== undefined) {
    problems.push(
      bad('/metadata/namespace', 'a kind without namespaces has metadata.namespace', 'leave the namespace out'),
    )
  }
  for (const [key, value] of Object.entries(metadata.labels ?? {})) {
    const pointer = `/metadata/labels/${pointerToken(key)}`
    if (!QUALIFIED_NAME.test(key)) problems.push(bad(pointer, `${JSON.stringify(key)} is not a label's key`, KEY_HINT))
    else if (!LABEL_VALUE.test(value))
      problems.push(
        bad(
          pointer,
          `${JSON.stringify(value)} is not a label's value`,
          "use at most 63 letters, digits, '-', '_' and '.'",
        ),
      )
  }
  let bytes = 0
  for (const [key, value] of Object.entries(metadata.annotations ?? {})) {
    bytes += key.length + value.length
    if (!QUALIFIED_NAME.test(key))
      problems.push(
        bad(
          `/metadata/annotations/${pointerToken(key)}`,
          `${JSON.stringify(key)} is not an annotation's key`,
          KEY_HINT,
        ),
      )
    else if (key.startsWith(`${GROUP}/`)) problems.push(...checkAnnotation(key, value))
  }
  if (bytes > ANNOTATION_BYTES)
    problems.push(
      bad(
        '/metadata/annotations',
        `annotations take ${bytes} bytes, the limit is ${ANNOTATION_BYTES}`,
        'keep large texts in files',
      ),
    )
  return problems
}

const KEY_HINT = "write prefix/name or name: letters, digits, '-', '_' and '.'"

/** An annotation of ours: a wrong value is an error, one we do not know only a warning, for it may be of another version. */
function checkAnnotation(key: string, value: string): SpecProblem[] {
  const pointer = `/metadata/annotations/${pointerToken(key)}`
  const instead = ACTS[key]
  if (instead !== undefined)
    return [bad(pointer, `the annotation ${key} acts only when it is sent to the API of Stateward`, instead)]
  if (!Object.hasOwn(ANNOTATIONS, key)) {
    const near = closest(key, Object.keys(ANNOTATIONS))
    const hint =
      near === undefined ? `annotations are: ${Object.keys(ANNOTATIONS).join(', ')}` : `did you mean ${near}?`
    return [
      { code: 'SW_UNKNOWN_FIELD', pointer, message: `the annotation ${key} does nothing`, hint, severity: 'warning' },
    ]
  }
  const values = ANNOTATIONS[key]
  if (values === null || values === undefined) return []
  if (values instanceof RegExp) {
    return values.test(value)
      ? []
      : [bad(pointer, `${key} is ${JSON.stringify(value)}`, 'write fingerprints: 12 hex digits each')]
  }
  if (values.includes(value)) return []
  return [bad(pointer, `${key} is ${JSON.stringify(value)}`, `write one of: ${values.join(', ')}`)]
}

function bad(pointer: string, message: string, hint: string): SpecProblem {
  return { code: 'SW_BAD_VALUE', pointer, message, hint }
}
