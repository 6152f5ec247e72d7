import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../config/schema.ts'
import { secretVariable } from '../config/secrets.ts'
import type { ModelProviderSpec } from '../kinds/model-provider/model-provider.schema.ts'
import { type SecretName, secretName, secretsNamedIn, secretText } from '../kinds/secret-ref.ts'
import { systemClock } from '../lib/clock.ts'
import { errorMessage } from '../lib/errors.ts'
import type { JsonObject } from '../lib/json.ts'
import { packageRoot } from '../lib/package-root.ts'
import { KEY_VARIABLE } from '../models/providers/connect.ts'
import { parseFiles } from '../reconcile/sync/parse-files.ts'
import { dataFolderStore } from '../secrets/data-folder-store.ts'
import { openDirectorySource } from '../source/directory/directory-source.ts'
import { openGitSource } from '../source/git/git-source.ts'
import type { Source } from '../source/ports.ts'
import { dataFolder } from './data-folder.ts'
import { PARSE_OPTIONS } from './parse-options.ts'

const SILENT = { info: () => {}, warn: () => {}, error: () => {} }

/** A provider of the state repo, and what it lacks to be asked; `missing` names variables and secrets. */
export interface DeclaredProvider {
  readonly name: string
  readonly type: string
  readonly missing: readonly string[]
  /** A SecretStore may have what is missing: only a server can tell. */
  readonly maybe: boolean
}

/** A tool of the state repo, and the secrets it names that are nowhere. */
export interface DeclaredToolNeeds {
  readonly name: string
  readonly missing: readonly string[]
  /** A SecretStore may have what is missing. */
  readonly maybe: boolean
}

export interface DeclaredNeeds {
  readonly providers: readonly DeclaredProvider[]
  readonly tools: readonly DeclaredToolNeeds[]
}

/** What the state repo declares that needs keys, without a server; `problem` = it cannot be read from here. */
export async function declaredNeeds(
  config: Config,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<DeclaredNeeds | { readonly problem: string }> {
  const folder = dataFolder(config.data)
  if (config.repo !== null && !existsSync(config.repo))
    return { problem: 'the state repo is elsewhere: a server that runs tells with `stateward models`' }
  try {
    const source = await openSource(config, folder.stateRepo)
    try {
      return await read(source, join(config.data, 'secrets'), environment)
    } finally {
      await source.close()
    }
  } catch (error) {
    return { problem: errorMessage(error) }
  }
}

/** The state repo, or the starter that the first start makes one of. */
async function openSource(config: Config, own: string): Promise<Source> {
  const repo = config.repo ?? (existsSync(join(own, 'HEAD')) ? own : null)
  if (repo === null) {
    const directory = join(packageRoot(), 'state-repo')
    return openDirectorySource({ name: 'doctor', directory, clock: systemClock, log: SILENT })
  }
  const options = { name: 'doctor', repo, ref: config.ref, path: config.path, intervalMs: 60_000, mirrorDir: '' }
  return openGitSource({ ...options, log: SILENT })
}

async function read(
  source: Source,
  secrets: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<DeclaredNeeds> {
  const { tree } = await source.head()
  const files = (await source.changes(null, tree)).flatMap(({ to }) => (to === null ? [] : [to]))
  const providers: { readonly name: string; readonly spec: ModelProviderSpec }[] = []
  const tools: { readonly name: string; readonly spec: JsonObject }[] = []
  let hasStores = false
  for await (const { resources } of parseFiles(source, files, PARSE_OPTIONS))
    for (const { kind, name, spec } of resources) {
      if (kind === 'ModelProvider') providers.push({ name, spec: spec as unknown as ModelProviderSpec })
      if (kind === 'Tool' && spec['suspend'] !== true) tools.push({ name, spec })
      hasStores ||= kind === 'SecretStore'
    }
  const data = dataFolderStore(secrets)
  const has = async ({ name, key }: SecretName): Promise<boolean> =>
    (environment[secretVariable(name, key)] ?? '') !== '' || (await data.find({ name, key })) !== null
  const declared: DeclaredProvider[] = []
  for (const { name, spec } of providers) {
    if (spec.suspend === true) continue
    declared.push({ name, type: spec.type, ...(await lackOf(spec, has, hasStores, environment)) })
  }
  const needs: DeclaredToolNeeds[] = []
  for (const { name, spec } of tools) {
    const missing: string[] = []
    for (const secret of secretsNamedIn(spec)) if (!(await has(secret))) missing.push(missingText(secret))
    if (missing.length > 0) needs.push({ name, missing, maybe: hasStores })
  }
  const byName = <T extends { readonly name: string }>(list: T[]): T[] =>
    list.sort((a, b) => (a.name < b.name ? -1 : 1))
  return { providers: byName(declared), tools: byName(needs) }
}

function missingText(secret: SecretName): string {
  return `${secretVariable(secret.name, secret.key)} (secret ${secretText(secret)})`
}

async function lackOf(
  { type, secretRef, server }: ModelProviderSpec,
  has: (secret: SecretName) => Promise<boolean>,
  hasStores: boolean,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Pick<DeclaredProvider, 'missing' | 'maybe'>> {
  const missing: string[] = []
  const variable = KEY_VARIABLE[type]
  if (secretRef === undefined && variable !== undefined && (environment[variable] ?? '') === '') missing.push(variable)
  const named = [secretRef, ...(server?.env ?? []).map((one) => one.secretRef)]
  let maybe = false
  for (const ref of named) {
    if (ref === undefined) continue
    const secret = secretName(ref)
    if (await has(secret)) continue
    missing.push(missingText(secret))
    maybe = hasStores
  }
  return { missing, maybe }
}
