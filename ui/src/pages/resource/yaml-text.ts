import { dump } from 'js-yaml'

/** A value as YAML, keys in one order, so that two of them can be held beside each other. */
export function yamlText(value: unknown): string {
  return dump(value, { sortKeys: true, lineWidth: -1 })
}
