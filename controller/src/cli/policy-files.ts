import { readdir, readFile, stat } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { PARSE_OPTIONS } from '../build/parse-options.ts'
import type { PolicySpec } from '../kinds/policy/policy.schema.ts'
import { validateFilled } from '../kinds/validate.ts'
import { fail } from '../lib/error-catalogue.ts'
import { errorMessage } from '../lib/errors.ts'
import { isObject } from '../lib/json.ts'
import { isManifestPath, parseFile } from '../parse/parse-file.ts'
import { readYaml } from '../parse/yaml.ts'
import { checkPolicy } from '../policy/evaluate/check-policy.ts'
import { type CompiledPolicy, compilePolicy } from '../policy/evaluate/compile.ts'

/** What files hold for the verb `policy`: policies, compiled, and documents that are files of cases. */
export interface PolicyFiles {
  readonly policies: readonly CompiledPolicy[]
  readonly cases: readonly { readonly file: string; readonly document: unknown }[]
}

/** Reads files and folders; SW_VALIDATION_FAILED with everything that is wrong with the policies in them. */
export async function readPolicyFiles(paths: readonly string[], cwd: string): Promise<PolicyFiles> {
  const files = (await Promise.all(paths.map((path) => manifestsIn(resolve(cwd, path))))).flat()
  const problems: string[] = []
  const policies: CompiledPolicy[] = []
  const cases: { file: string; document: unknown }[] = []
  for (const path of [...new Set(files)].sort()) {
    const file = relative(cwd, path) || path
    const bytes = await readFile(path)
    const parsed = parseFile({ path: file, oid: '', mode: '100644', size: bytes.byteLength, bytes }, PARSE_OPTIONS)
    for (const { severity, message, line } of parsed.issues)
      if (severity === 'error') problems.push(`${file}:${line ?? 1}: ${message}`)
    for (const resource of parsed.resources) {
      if (resource.kind !== 'Policy') continue
      const spec = resource.spec as unknown as PolicySpec
      const wrong = [...validateFilled('Policy', resource.spec), ...checkPolicy(spec)]
      problems.push(...wrong.map(({ pointer, message }) => `${file}: ${pointer}: ${message}`))
      const { namespace, name } = resource
      if (wrong.length === 0) policies.push(compilePolicy({ namespace, name, version: 0, spec }))
    }
    for (const { value } of readYaml(bytes.toString('utf8'), PARSE_OPTIONS.limits).documents)
      if (isObject(value) && value['apiVersion'] === undefined && Array.isArray(value['cases']))
        cases.push({ file, document: value })
  }
  if (problems.length > 0)
    throw fail('SW_VALIDATION_FAILED', `the policies are not sound: ${problems[0]}`, { details: { problems } })
  return { policies, cases }
}

async function manifestsIn(path: string): Promise<string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path]
    const entries = await readdir(path, { recursive: true, withFileTypes: true })
    return entries
      .filter((entry) => entry.isFile() && isManifestPath(entry.name))
      .map((entry) => join(entry.parentPath, entry.name))
  } catch (cause) {
    throw fail('SW_USAGE', `${path} cannot be read: ${errorMessage(cause)}`, { cause })
  }
}
