import { isV0Blueprint, normaliseV0 } from '../../src/blueprints/normalise-v0.ts'
import { keyOf } from '../../src/kinds/resource.ts'
import { sha256 } from '../../src/lib/digest.ts'
import { DEFAULT_LIMITS } from '../../src/parse/limits.ts'
import { type ParseOptions, parseFile } from '../../src/parse/parse-file.ts'
import type { ParsedFile } from '../../src/parse/parsed-file.ts'
import type { ActualObject } from '../../src/plan/actual-state.ts'
import { DEFAULT_DELETION_LIMIT } from '../../src/plan/blast-radius.ts'
import { DesiredState } from '../../src/plan/desired-state.ts'
import { plan } from '../../src/plan/plan.ts'
import type { Plan, PlanInput } from '../../src/plan/planned.ts'

/** State repos as maps from path to text, and plans over them, without a repository or a database. */
export type Files = Readonly<Record<string, string>>

export const PARSE_OPTIONS: ParseOptions = {
  defaultNamespace: 'default',
  limits: DEFAULT_LIMITS,
  formerForm: { recognises: isV0Blueprint, normalise: normaliseV0 },
}

/** A document as a person writes it: JSON is YAML. */
export function manifest(
  kind: string,
  name: string,
  spec: object = {},
  metadata: { namespace?: string; labels?: Record<string, string>; annotations?: Record<string, string> } = {},
): string {
  const lines = [
    'apiVersion: stateward.dev/v1alpha1',
    `kind: ${kind}`,
    `metadata: ${JSON.stringify({ name, ...metadata })}`,
  ]
  return `${[...lines, 'spec:', ...Object.entries(spec).map(([field, value]) => `  ${field}: ${JSON.stringify(value)}`)].join('\n')}\n`
}

const PROCESS = { runtime: { process: { command: ['node', 'agent.js'] } } }

/** An agent that is complete; `spec` adds to it. */
export function agent(name: string, spec: object = {}, metadata: Parameters<typeof manifest>[3] = {}): string {
  return manifest('Agent', name, { ...PROCESS, ...spec }, metadata)
}

export function parsed(path: string, content: string | Uint8Array, mode = '100644'): ParsedFile {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content
  const kept = bytes.byteLength > PARSE_OPTIONS.limits.maxFileBytes ? null : bytes
  return parseFile({ path, oid: sha256(bytes), mode, size: bytes.byteLength, bytes: kept }, PARSE_OPTIONS)
}

export function desiredState(files: Files): DesiredState {
  const desired = new DesiredState()
  for (const [path, text] of Object.entries(files)) desired.put(parsed(path, text))
  return desired
}

/** `null` content stands for a file that is not there. */
export type PlanOverrides = Partial<Omit<PlanInput, 'desired'>> & {
  readonly repoFiles?: Readonly<Record<string, string>>
}

export function planOf(desired: DesiredState, { repoFiles = {}, ...overrides }: PlanOverrides = {}): Plan {
  return plan({
    desired,
    actual: new Map(),
    scope: null,
    fromRevision: null,
    toRevision: '1111111111111111111111111111111111111111',
    fileOid: (path) => repoFiles[path] ?? null,
    builtinToolSchema: (name) => (['http.call', 'fs.read', 'process.run'].includes(name) ? {} : null),
    deletionLimit: DEFAULT_DELETION_LIMIT,
    deletions: { recent: new Map(), approved: new Set() },
    ...overrides,
  })
}

/** What the store holds after a plan was applied onto what it held before. */
export function apply(
  made: Plan,
  desired: DesiredState,
  before: ReadonlyMap<string, ActualObject> = new Map(),
): Map<string, ActualObject> {
  const after = new Map(before)
  for (const change of made.changes) {
    const key = keyOf(change)
    if (change.action === 'delete') after.delete(key)
    if (change.action !== 'create' && change.action !== 'update') continue
    const { resource, oid } = desired.get(key)!
    const { kind, namespace, name, labels, annotations, spec, specDigest, origin } = resource
    const known = before.get(key)
    after.set(key, {
      kind,
      namespace,
      name,
      labels,
      annotations,
      spec,
      specDigest,
      uid: known?.uid ?? key,
      generation: (known?.generation ?? 0) + 1,
      effectiveDigest: made.effective.get(key)!.digest,
      file: origin.file,
      document: origin.document,
      oid,
      deleting: false,
    })
  }
  for (const key of made.moved) {
    const { resource, oid } = desired.get(key)!
    after.set(key, { ...after.get(key)!, file: resource.origin.file, document: resource.origin.document, oid })
  }
  return after
}

/** What is applied when these files were all there was. */
export function appliedFiles(files: Files, overrides: PlanOverrides = {}): Map<string, ActualObject> {
  const desired = desiredState(files)
  return apply(planOf(desired, overrides), desired)
}

/** Plans the step from one set of files to another. */
export function planFromTo(from: Files, to: Files, overrides: PlanOverrides = {}): Plan {
  return planOf(desiredState(to), { actual: appliedFiles(from, overrides), ...overrides })
}

/** `create Agent/default/sre`, one line a change. */
export function summaryOf(made: Plan): string[] {
  return made.changes.map(
    (change) => `${change.action} ${keyOf(change)}${change.reason === undefined ? '' : ` (${change.reason})`}`,
  )
}

export function codesOf(made: Pick<Plan, 'issues'>): string[] {
  return made.issues.map((issue) => issue.code)
}
