import type { IncomingHttpHeaders } from 'node:http'
import type { ObjectView } from '../../../kinds/resource.ts'
import { canonicalJson } from '../../../lib/digest.ts'

export const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

/** Whether kubectl will compare a file with what it would have written down at the last apply. */
export function isForApply(headers: IncomingHttpHeaders): boolean {
  return /^kubectl (apply|diff)\b/.test(String(headers['kubectl-command'] ?? ''))
}

/**
 * The annotation that `kubectl apply` would have left on an object, had it been applied as Git says it: so that an unchanged
 * file is `unchanged`, and a field that the file leaves out is taken away. It is never stored.
 */
export function lastAppliedOf({ apiVersion, kind, metadata, spec }: ObjectView): Readonly<Record<string, string>> {
  const { name, namespace, labels, annotations = {} } = metadata
  const written = {
    annotations,
    ...(labels === undefined ? {} : { labels }),
    name,
    ...(namespace === undefined ? {} : { namespace }),
  }
  // As Go writes JSON: keys in order, and what could end a script escaped.
  return { [LAST_APPLIED]: `${escaped(canonicalJson({ apiVersion, kind, metadata: written, spec }))}\n` }
}

function escaped(text: string): string {
  return text.replaceAll(/[<>&\u2028\u2029]/g, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
