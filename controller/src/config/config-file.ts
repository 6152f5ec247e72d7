import { readFileSync } from 'node:fs'
import { loadAll } from 'js-yaml'
import { fail } from '../lib/error-catalogue.ts'
import { errorMessage } from '../lib/errors.ts'
import { isObject } from '../lib/json.ts'
import { SETTINGS } from './settings.ts'

/** The settings `<data>/config.yaml` holds; `{}` when there is no such file. Throws SW_CONFIG_INVALID for what it may not hold. */
export function readConfigFile(
  file: string,
  read: (path: string) => string | null = readFileOrNull,
): Record<string, unknown> {
  const text = read(file)
  if (text === null) return {}
  let documents: unknown[]
  try {
    documents = loadAll(text)
  } catch (cause) {
    throw fail('SW_CONFIG_INVALID', `${file} is not YAML: ${errorMessage(cause)}`, { cause })
  }
  const document = documents[0] ?? {}
  if (documents.length > 1 || !isObject(document))
    throw fail('SW_CONFIG_INVALID', `${file} must hold one map of settings`)
  for (const path of writtenPaths(document)) {
    const setting = SETTINGS.find((known) => known.path === path)
    if (setting === undefined) throw fail('SW_CONFIG_INVALID', `${path} in ${file} is no setting`)
    if (setting.notInFile !== undefined) {
      throw fail('SW_CONFIG_INVALID', `${path} cannot be set in ${file}: ${setting.notInFile}`)
    }
  }
  return document
}

function writtenPaths(document: Record<string, unknown>): string[] {
  const groups = new Set(
    SETTINGS.filter((setting) => setting.path.includes('.')).map((setting) => setting.path.split('.')[0]),
  )
  return Object.entries(document).flatMap(([key, value]) =>
    groups.has(key) && isObject(value) ? Object.keys(value).map((member) => `${key}.${member}`) : [key],
  )
}

function readFileOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code
    if (code === 'ENOENT' || code === 'ENOTDIR') return null
    throw fail('SW_CONFIG_INVALID', `${path} cannot be read: ${errorMessage(cause)}`, { cause })
  }
}
