import { isV0Blueprint, normaliseV0 } from '../blueprints/normalise-v0.ts'
import { DEFAULT_LIMITS } from '../parse/limits.ts'
import type { ParseOptions } from '../parse/parse-file.ts'
import { readYaml } from '../parse/yaml.ts'

/** How documents are read: everything in namespace `default` unless it says otherwise, flat blueprints too. */
export const PARSE_OPTIONS: ParseOptions = {
  defaultNamespace: 'default',
  limits: DEFAULT_LIMITS,
  formerForm: { recognises: isV0Blueprint, normalise: normaliseV0 },
}

/** Where a pointer of a document stands in its file: the same place, unless the document is of a former form. */
export function pointerInFile(text: string, document: number, pointer: string): string {
  const value = readYaml(text, DEFAULT_LIMITS).documents.find(({ index }) => index === document)?.value
  return isV0Blueprint(value) ? normaliseV0(value).pointerInFile(pointer) : pointer
}
