import { Document, isMap, isSeq, parseDocument } from 'yaml'
import { fail } from '../../lib/error-catalogue.ts'

/** A server, who speaks to it, and where. */
export interface ContextOf {
  /** Of the context, the cluster and the user. */
  readonly name: string
  readonly server: string
  /** PEM; null = what the system trusts. */
  readonly authority: string | null
  readonly user: { readonly token: string } | { readonly username: string; readonly password: string }
  readonly namespace: string
}

/**
 * A kubeconfig with a context more, or with that context as it is now; everything else of it, comments too, stays. The first
 * context of a file is also the current one. Throws SW_CONFIG_INVALID for a text that is no kubeconfig.
 */
export function withContext(text: string | null, context: ContextOf): string {
  const document = documentOf(text)
  const { name, server, authority, user, namespace } = context
  const trust =
    authority === null ? {} : { 'certificate-authority-data': Buffer.from(authority, 'utf8').toString('base64') }
  put(document, 'clusters', { name, cluster: { server, ...trust } })
  put(document, 'users', { name, user })
  put(document, 'contexts', { name, context: { cluster: name, user: name, namespace } })
  if (!document.get('current-context')) document.set('current-context', name)
  return document.toString({ lineWidth: 0 })
}

function documentOf(text: string | null): Document {
  const document =
    text === null || text.trim() === ''
      ? new Document({ apiVersion: 'v1', kind: 'Config', preferences: {} })
      : parseDocument(text)
  if (document.errors.length > 0 || !isMap(document.contents) || document.get('kind') !== 'Config')
    throw fail('SW_CONFIG_INVALID', 'the file is no kubeconfig', { remedy: 'name another one with --file' })
  return document as Document
}

/** In the place of the entry of that name, or at the end of its list. */
function put(document: Document, list: string, entry: Readonly<Record<string, unknown>>): void {
  const entries = document.get(list)
  if (!isSeq(entries)) {
    document.set(list, document.createNode([entry]))
    return
  }
  const at = entries.items.findIndex((item) => isMap(item) && item.get('name') === entry['name'])
  if (at === -1) entries.add(document.createNode(entry))
  else entries.set(at, document.createNode(entry))
}
