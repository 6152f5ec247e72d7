import { expect, it } from 'vitest'
import type { PrinterColumn } from '../../../kinds/definition.ts'
import type { ObjectView } from '../../../kinds/resource.ts'
import { type IncludedObject, metadataOf, tableOf } from '../table.ts'
import { keptObject, metadataText, objectText, rowTexts, withLiveStatus } from './kept-object.ts'

const NOW = new Date('2030-01-01T01:00:00.000Z')

const column = (name: string, jsonPath: string, type: PrinterColumn['type'] = 'string'): PrinterColumn => ({
  ...{ name, jsonPath, type, description: '', priority: 0 },
})

const AGE = column('Age', '.metadata.creationTimestamp', 'date')
const LAST = column('Last', '.status.lastScheduleTime', 'date')
const COLUMNS = {
  mixed: [column('Phase', '.status.phase'), AGE, column('Replicas', '.spec.replicas', 'integer'), LAST],
  'an age alone': [AGE],
  'ages beside each other': [AGE, AGE, LAST],
  'no age': [column('Phase', '.status.phase')],
  none: [],
}

const view = (status: ObjectView['status']): ObjectView => ({
  apiVersion: 'stateward.dev/v1alpha1',
  kind: 'Agent',
  metadata: {
    ...{ name: 'sre', namespace: 'default', uid: 'u', generation: 2, resourceVersion: '7' },
    creationTimestamp: '2030-01-01T00:55:30.000Z',
    labels: { said: 'a "word" in Zürich' },
  },
  spec: { replicas: 3 },
  status,
})

const VIEWS = {
  'every value': view({ phase: 'Running', lastScheduleTime: '2030-01-01T00:00:00.000Z' }),
  'nothing of the status': view({}),
  'what is no time where a time stands': view({ phase: 'Running', lastScheduleTime: 'never' }),
}

for (const [columns, list] of Object.entries(COLUMNS))
  for (const [holds, object] of Object.entries(VIEWS))
    for (const isNamed of [undefined, false] as const)
      it(`is the row of a table with ${columns} of columns and ${holds}${isNamed === false ? ', without its name' : ''}`, () => {
        const resource = { columns: list, ...(isNamed === false ? { isNamed } : {}) }
        const kept = keptObject(resource, object)
        for (const includes of ['None', 'Metadata', 'Object'] satisfies IncludedObject[]) {
          const { rows } = tableOf(resource, [object], {}, { includes, now: NOW }) as { rows: unknown[] }
          expect(rowTexts([kept], includes, NOW).map((text) => JSON.parse(text))).toEqual(rows)
        }
      })

it('is the object, and its metadata, as they are answered without being kept', () => {
  const object = VIEWS['every value']
  const kept = keptObject({ columns: [] }, object)
  expect(objectText(kept)).toBe(JSON.stringify(object))
  expect(metadataText(kept)).toBe(JSON.stringify(metadataOf(object)))
})

it('takes on what changes by itself, and lets go of it', () => {
  const resource = { columns: COLUMNS.mixed }
  const stored = keptObject(resource, view({ phase: 'Running', replicas: 1 }))
  const live = { phase: 'Busy', lastScheduleTime: '2030-01-01T00:59:00.000Z' }
  const enlivened = withLiveStatus(resource, stored, JSON.stringify(live))
  expect(JSON.parse(objectText(enlivened))).toEqual(view({ replicas: 1, ...live }))
  expect(rowTexts([enlivened], 'None', NOW)).toEqual(['{"cells":["sre","Busy","4m30s",3,"60s"]}'])
  expect(withLiveStatus(resource, enlivened, '')).toEqual(stored)
})

it('grows older without being made again', () => {
  const kept = keptObject({ columns: [AGE] }, VIEWS['every value'])
  const later = new Date(NOW.getTime() + 3_600_000)
  expect(rowTexts([kept], 'None', later)).toEqual(['{"cells":["sre","64m"]}'])
})
