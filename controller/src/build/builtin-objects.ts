import type { Config } from '../config/schema.ts'
import { keyOf, type ObjectKey, type Resource } from '../kinds/resource.ts'
import { digestOf } from '../lib/digest.ts'
import type { JsonObject } from '../lib/json.ts'
import type { ParsedFile } from '../parse/parsed-file.ts'
import { BUILTIN_PATH } from '../reconcile/sync/builtin-path.ts'
import { SOURCE_NAME } from './state-repo.ts'

/** The Host object that stands for this machine. */
export const LOCAL_HOST = 'local'

/**
 * What the controller declares where the repo does not: its own Source, this machine as a Host. A document of the same
 * name takes their place.
 */
export function builtinObjects(
  config: Config,
  directory: string | null,
  /** The API server whose custom resources are read; null = none are. */
  cluster: string | null = null,
): (declared: (key: ObjectKey) => boolean) => ParsedFile {
  const where: JsonObject =
    cluster !== null && config.cluster.source === 'only'
      ? { url: cluster }
      : directory === null
        ? { ref: config.ref, ...(config.repo === null ? {} : { url: withoutCredentials(config.repo) }) }
        : { path: directory }
  const all = [
    resource('Source', SOURCE_NAME, { ...where, interval: config.interval, ...verifyOf(config) }),
    resource('Host', LOCAL_HOST, { role: 'control', capacity: { agentSlots: 10 } }),
  ]
  return (declared) => ({
    path: BUILTIN_PATH,
    oid: digestOf(all.map(({ specDigest }) => specDigest)).slice(0, 40),
    resources: all.filter((own) => !declared(keyOf(own))),
    issues: [],
    ignored: 0,
    identified: [],
    unidentified: false,
  })
}

/** Where nothing is verified it is not mentioned. */
function verifyOf({ verify: { mode, allowedSigners } }: Config): JsonObject {
  return mode === 'none' ? {} : { verify: { mode, ...(allowedSigners === null ? {} : { allowedSigners }) } }
}

function resource(kind: string, name: string, spec: JsonObject): Resource {
  return {
    kind,
    namespace: '',
    name,
    labels: {},
    annotations: {},
    spec,
    specDigest: digestOf(spec),
    origin: { file: BUILTIN_PATH, document: 0 },
  }
}

function withoutCredentials(url: string): string {
  if (!URL.canParse(url)) return url
  const parsed = new URL(url)
  parsed.username = ''
  parsed.password = ''
  return parsed.href
}
