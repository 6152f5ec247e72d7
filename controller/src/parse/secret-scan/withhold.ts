import { keyOf } from '../../kinds/resource.ts'
import type { Issue } from '../../lib/issue.ts'
import type { ParsedFile } from '../parsed-file.ts'
import { splitDocuments } from '../yaml.ts'
import { scanText } from './scan.ts'

/**
 * Takes the documents with a plaintext secret out of a file that was parsed: their objects keep their last good revision, as
 * those of any broken document do, and are named at the secret. The other documents of the file stand.
 */
export function withholdSecrets(file: ParsedFile, text: string): ParsedFile {
  const found = scanText(file.path, text)
  if (found.length === 0) return file
  const spoiled = new Map<number, Issue[]>()
  for (const issue of found) {
    if (issue.severity !== 'error') continue
    const document = documentAt(text, issue.line!)
    spoiled.set(document, [...(spoiled.get(document) ?? []), issue])
  }
  const isSpoiled = ({ origin }: ParsedFile['resources'][number]) => spoiled.has(origin.document)
  const withheld = file.resources.filter(isSpoiled)
  const owned = found.map((issue) => {
    const here = withheld.filter(({ origin }) => spoiled.get(origin.document)?.includes(issue))
    return here.length === 1 ? { ...issue, object: keyOf(here[0]!) } : issue
  })
  return {
    ...file,
    resources: file.resources.filter((resource) => !isSpoiled(resource)),
    identified: [...file.identified, ...withheld.map(keyOf)],
    issues: [...file.issues, ...owned],
  }
}

/** The number of the document a line belongs to; what stands above the first one belongs to it. */
function documentAt(text: string, line: number): number {
  const at = splitDocuments(text).findLastIndex(({ firstLine }) => firstLine < line)
  return Math.max(0, at)
}
