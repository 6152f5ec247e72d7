import Type, { type TProperties } from 'typebox'
import type { PrinterColumn } from './definition.ts'
import { anyValue, choice, integer, list, text, time } from './schema-parts.ts'

/** What every kind's status has, and the printer columns made of it. Status schemas take unknown fields: readers may be older than the writer. */

const condition = Type.Object(
  {
    type: text({ description: 'The condition, for example Ready.', maxLength: 316 }),
    status: choice(['True', 'False', 'Unknown'], { description: 'Whether it holds.' }),
    reason: text({ description: 'One word of the closed list of reasons.', maxLength: 1024 }),
    message: text({ description: 'The details, for people.', maxLength: 32_768 }),
    observedGeneration: Type.Optional(
      integer({ description: 'The generation this was said of.', minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
    ),
    lastTransitionTime: time('When the status of the condition last changed.'),
  },
  { description: 'One condition.' },
)

const override = Type.Object(
  {
    path: text({ description: 'Pointer of the field in the document.' }),
    value: anyValue({ description: 'The value that is in force instead of the declared one.' }),
    actor: text({ description: 'Who set it.' }),
    reason: Type.Optional(text({ description: 'Why.', maxLength: 4096 })),
    expiresAt: Type.Optional(time('When it ends by itself.')),
    intervention: Type.Optional(text({ description: 'The intervention it belongs to.' })),
  },
  { description: 'One override.' },
)

const commonStatus = {
  observedGeneration: Type.Optional(
    integer({
      description: 'The generation the controller acted on last.',
      minimum: 0,
      maximum: Number.MAX_SAFE_INTEGER,
    }),
  ),
  conditions: Type.Optional(
    list(condition, { description: 'How it stands, by the laws of kstatus.', maxItems: 32, unique: ['type'] }),
  ),
  lastAppliedRevision: Type.Optional(text({ description: 'The commit that last changed this object.' })),
  lastAttemptedRevision: Type.Optional(text({ description: 'The last commit that tried to.' })),
  lastHandledReconcileAt: Type.Optional(
    text({ description: 'Echo of the annotation stateward.dev/requestedAt that was handled last.' }),
  ),
  effectiveDigest: Type.Optional(
    text({
      description: 'sha256 of the spec after template and environment overrides, with the files it names.',
      maxLength: 128,
    }),
  ),
  overrides: Type.Optional(
    list(override, {
      description: 'Live overrides in force, set with suspend, resume and interventions.',
      maxItems: 100,
      unique: ['path'],
    }),
  ),
}

/** A status: the common part and a kind's own fields. */
export function statusOf<P extends TProperties>(properties: P) {
  return Type.Object({ ...commonStatus, ...properties }, { description: 'What is, as the controller last saw it.' })
}

/** READY, STATUS, the kind's own columns, REVISION, AGE. */
export function columns(own: readonly PrinterColumn[] = []): readonly PrinterColumn[] {
  const all: PrinterColumn[] = [
    column('Ready', '.status.conditions[?(@.type=="Ready")].status', 'Whether it is as declared.'),
    column('Status', '.status.conditions[?(@.type=="Ready")].message', 'How it stands.'),
    ...own,
    column('Revision', '.status.lastAppliedRevision', 'The commit that last changed it.'),
    { ...column('Age', '.metadata.creationTimestamp', 'Time since it was first applied.'), type: 'date' },
    {
      ...column('Reason', '.status.conditions[?(@.type=="Ready")].reason', 'The reason of Ready in one word.'),
      priority: 1 as const,
    },
  ]
  return all.sort((a, b) => a.priority - b.priority)
}

/** One column of text, always shown. */
export function column(name: string, jsonPath: string, description: string): PrinterColumn {
  return { name, type: 'string', jsonPath, description, priority: 0 }
}

/** One column that only `-o wide` shows. */
export function wide(
  name: string,
  jsonPath: string,
  description: string,
  type: PrinterColumn['type'] = 'string',
): PrinterColumn {
  return { name, type, jsonPath, description, priority: 1 }
}
