import { Document, parseDocument, stringify } from 'yaml'
import { nameOfId } from '../../blueprints/v0-checks.ts'
import { canonicalJson } from '../../lib/digest.ts'
import { fail } from '../../lib/error-catalogue.ts'
import { isObject, type JsonObject } from '../../lib/json.ts'
import { DEFAULT_LIMITS } from '../../parse/limits.ts'
import { readYaml } from '../../parse/yaml.ts'
import type { DraftKind } from '../../store/queries/drafts.ts'

export interface DraftContent {
  readonly namespace: string
  readonly name: string
  readonly kind: DraftKind
  /** A text is YAML or JSON; it stays as it is, with its comments, as far as it can. */
  readonly definition: JsonObject | string
  /** The event that starts it, where the definition does not say; of a blueprint only. */
  readonly trigger: string | null
}

/** The file of the state repo that a draft comes to. */
export interface DraftFile {
  /** In the folder of the state. */
  readonly path: string
  readonly text: string
  /** What was saved, as JSON. */
  readonly content: JsonObject
  /** What a promotion is called: the id of a flat blueprint, else its name, with the namespace before it where that is another one. */
  readonly item: string
  /** Name of the blueprint it declares; null = it is a pack. */
  readonly declares: string | null
}

const API_VERSION = 'stateward.dev/v1alpha1'
const DEFAULT_NAMESPACE = 'default'

/**
 * A blueprint is the spec of one, its whole document, or a flat file with `id`, `trigger` and `plan`; a pack is
 * `{documents: […]}`, or a text of documents. Whether that is any good, the checks of its proposal say. Throws
 * SW_INVALID_DEFINITION when it cannot become a file at all. Pure.
 */
export function draftFile(draft: DraftContent): DraftFile {
  const { namespace, name, kind } = draft
  const file = namespace === DEFAULT_NAMESPACE ? name : `${namespace}.${name}`
  if (kind === 'pack') return { path: `packs/${file}.yaml`, item: file, declares: null, ...packOf(draft) }
  const { form, ...written } = blueprintOf(draft)
  const id = form === 'flat' ? String(written.content['id']) : null
  return { path: `blueprints/${file}.yaml`, item: id ?? file, declares: id === null ? name : nameOfId(id), ...written }
}

type Written = Pick<DraftFile, 'text' | 'content'>

function packOf({ definition, trigger }: DraftContent): Written {
  if (trigger !== null) throw invalid('a pack has no trigger of its own: its blueprints have')
  if (typeof definition !== 'string') {
    const { documents } = definition
    if (!Array.isArray(documents) || documents.length === 0 || !documents.every(isObject)) throw notAPack()
    return { text: (documents as unknown as readonly JsonObject[]).map(yaml).join('---\n'), content: definition }
  }
  const documents = documentsOf(definition)
  if (documents.length === 0 || !documents.every(isObject)) throw notAPack()
  return { text: ended(definition), content: { documents: documents as unknown as JsonObject[] } }
}

type Form = 'flat' | 'whole' | 'spec'

function blueprintOf(draft: DraftContent): Written & { readonly form: Form } {
  const { definition } = draft
  const content = typeof definition === 'string' ? singleDocument(definition) : definition
  const form = formOf(content)
  assertItself(draft, content, form)
  const started = withTrigger(content, form, draft.trigger)
  const document = form === 'spec' ? wholeDocument(draft, started) : started
  const kept = typeof definition === 'string' ? keptText(draft, definition, form, started !== content) : null
  const isSame = kept !== null && canonicalJson(documentsOf(kept)) === canonicalJson([document])
  return { form, content: started, text: isSame ? kept : yaml(document) }
}

function formOf(content: JsonObject): Form {
  if (typeof content['id'] === 'string' && Array.isArray(content['plan'])) return 'flat'
  return content['kind'] !== undefined && content['spec'] !== undefined ? 'whole' : 'spec'
}

/** What a definition says of itself has to be what the draft is. */
function assertItself({ namespace, name }: DraftContent, content: JsonObject, form: Form): void {
  if (form === 'flat' && namespace !== DEFAULT_NAMESPACE)
    throw invalid('a flat blueprint is one of the namespace default: write it as kind Blueprint for another one')
  if (form !== 'whole') return
  const metadata = isObject(content['metadata']) ? content['metadata'] : {}
  if (content['kind'] !== 'Blueprint') throw invalid(`the definition of a blueprint is of kind ${content['kind']}`)
  if (metadata['name'] !== name)
    throw invalid(`the definition is called ${JSON.stringify(metadata['name'])}, the draft ${JSON.stringify(name)}`)
  if ((metadata['namespace'] ?? DEFAULT_NAMESPACE) !== namespace)
    throw invalid(`the definition is in another namespace than the draft, ${namespace}`)
}

/** The same content when it says already what starts it. */
function withTrigger(content: JsonObject, form: Form, event: string | null): JsonObject {
  if (event === null) return content
  if (form === 'flat') {
    const said = isObject(content['trigger']) ? content['trigger']['event_type'] : undefined
    if (said === undefined) return { ...content, trigger: { event_type: event } }
    if (said !== event) throw invalid(`the definition is started by ${said}, and not by ${event}`)
    return content
  }
  const spec = (form === 'whole' ? content['spec'] : content) as JsonObject
  if (!isObject(spec)) return content
  const triggers = spec['triggers']
  if (triggers !== undefined) {
    if (Array.isArray(triggers) && triggers.some((one) => isObject(one) && one['event'] === event)) return content
    throw invalid(`no trigger of the definition is the event ${event}`)
  }
  const started = { triggers: [{ event }], ...spec }
  return form === 'whole' ? { ...content, spec: started } : started
}

function wholeDocument({ namespace, name }: DraftContent, spec: JsonObject): JsonObject {
  const placed = namespace === DEFAULT_NAMESPACE ? {} : { namespace }
  return { apiVersion: API_VERSION, kind: 'Blueprint', metadata: { name, ...placed }, spec }
}

/** The text with what it lacks put in, its comments kept; null where that cannot be done. */
function keptText(draft: DraftContent, text: string, form: Form, addsTrigger: boolean): string | null {
  if (form !== 'spec' && !addsTrigger) return ended(text)
  const parsed = parseDocument(text)
  if (parsed.errors.length > 0) return null
  if (addsTrigger && draft.trigger !== null) {
    if (form === 'flat') parsed.set('trigger', parsed.createNode({ event_type: draft.trigger }))
    else {
      const triggers = parsed.createNode([{ event: draft.trigger }])
      if (form === 'whole') parsed.setIn(['spec', 'triggers'], triggers)
      else parsed.set('triggers', triggers)
    }
  }
  if (form !== 'spec') return String(parsed)
  const whole = new Document(wholeDocument(draft, {}))
  whole.commentBefore = parsed.commentBefore
  whole.set('spec', parsed.contents)
  return whole.toString({ lineWidth: 0 })
}

function singleDocument(text: string): JsonObject {
  const [document, ...more] = documentsOf(text)
  if (more.length > 0 || !isObject(document)) throw invalid('the definition of a blueprint is one map')
  return document as JsonObject
}

function documentsOf(text: string): readonly unknown[] {
  const { documents, problems } = readYaml(text, DEFAULT_LIMITS)
  const [problem] = problems
  if (problem !== undefined)
    throw invalid(`the definition is no YAML: ${problem.message} (line ${problem.line}, column ${problem.column})`)
  return documents.map(({ value }) => value)
}

function ended(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`
}

function yaml(document: JsonObject): string {
  return stringify(document, { lineWidth: 0, aliasDuplicateObjects: false })
}

const notAPack = (): Error => invalid('the content of a pack is {"documents": [{"apiVersion": …, "kind": …}, …]}')

function invalid(message: string): Error {
  return fail('SW_INVALID_DEFINITION', message)
}
