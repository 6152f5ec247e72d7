import { fail } from '../../lib/error-catalogue.ts'
import { valueAt } from '../../lib/json.ts'
import type { ServedView } from './served-resource.ts'

type Labels = Readonly<Record<string, string>>
type LabelTest = (labels: Labels) => boolean

/** What a list or watch asks for beside its namespace. */
export interface Selector {
  readonly matches: (view: ServedView) => boolean
  /** The one name the field selector asks for: the database can look it up. */
  readonly name: string | null
  /** What the label selector asks to be equal. */
  readonly labels: Readonly<Record<string, string>>
  /** What the field selector asks to be equal, by path. */
  readonly fields: Readonly<Record<string, string>>
  /** True when every object matches. */
  readonly everything: boolean
}

const KEY = '(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?/)?[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?'
const VALUE = '(?:[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?'
const EXISTS = new RegExp(`^(!?)\\s*(${KEY})$`)
const EQUALS = new RegExp(`^(${KEY})\\s*(==|=|!=)\\s*(${VALUE})$`)
const SET = new RegExp(`^(${KEY})\\s+(in|notin)\\s*\\(([^()]*)\\)$`)
const FIELDS = ['metadata.name', 'metadata.namespace', 'status.phase']

/** Reads `labelSelector` and `fieldSelector` as Kubernetes does; throws SW_BAD_REQUEST for what it cannot read. */
export function parseSelectors(
  query: { readonly labelSelector?: string | undefined; readonly fieldSelector?: string | undefined },
  moreFields: readonly string[] = [],
): Selector {
  const labels = parseLabelSelector(query.labelSelector ?? '')
  const fields = parseFieldSelector(query.fieldSelector ?? '', [...FIELDS, ...moreFields])
  const named = fields.find((field) => field.path === 'metadata.name' && !field.negated)
  return {
    everything: labels.length === 0 && fields.length === 0,
    name: named?.value ?? null,
    labels: equalLabels(query.labelSelector ?? ''),
    fields: Object.fromEntries(fields.filter(({ negated }) => !negated).map(({ path, value }) => [path, value])),
    matches: (view) =>
      labels.every((test) => test(view.metadata.labels ?? {})) &&
      fields.every(
        (field) =>
          (String(valueAt(view, `/${field.path.replaceAll('.', '/')}`) ?? '') === field.value) !== field.negated,
      ),
  }
}

/** Labels that must have one value. */
function equalLabels(text: string): Record<string, string> {
  const found = text.split(/,(?![^(]*\))/).map((part) => EQUALS.exec(part.trim()))
  return Object.fromEntries(
    found.flatMap((match) => (match === null || match[2] === '!=' ? [] : [[match[1]!, match[3]!]])),
  )
}

function parseLabelSelector(text: string): LabelTest[] {
  // A comma separates requirements except between the parentheses of `in (a,b)`.
  return text
    .split(/,(?![^(]*\))/)
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map(labelTest)
}

function labelTest(part: string): LabelTest {
  const exists = EXISTS.exec(part)
  if (exists !== null) {
    const [, not, key] = exists
    return (labels) => Object.hasOwn(labels, key!) === (not === '')
  }
  const equals = EQUALS.exec(part)
  if (equals !== null) {
    const [, key, operator, value] = equals
    return (labels) => (labelValue(labels, key!) === value) === (operator !== '!=')
  }
  const set = SET.exec(part)
  if (set !== null) {
    const [, key, operator, list] = set
    const values = list!.split(',').map((value) => value.trim())
    return (labels) => values.includes(labelValue(labels, key!) as string) === (operator === 'in')
  }
  throw fail('SW_BAD_REQUEST', `unable to parse requirement "${part}" of the label selector`, {
    remedy: 'write it like app=web,tier!=db,env in (dev,test),!legacy',
  })
}

/** A label that is not there has no value: `!=` and `notin` hold for it, as in Kubernetes. */
function labelValue(labels: Labels, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined
}

function parseFieldSelector(
  text: string,
  known: readonly string[],
): { readonly path: string; readonly value: string; readonly negated: boolean }[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => {
      const [, path, operator, value] = /^([A-Za-z.]+)\s*(==|=|!=)\s*(.*)$/.exec(part) ?? []
      if (path === undefined || !known.includes(path)) {
        throw fail('SW_BAD_REQUEST', `field label not supported: ${part}`, {
          remedy: `use one of ${known.join(', ')} with =, == or !=`,
        })
      }
      return { path, value: value!, negated: operator === '!=' }
    })
}
