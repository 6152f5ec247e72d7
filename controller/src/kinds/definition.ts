import type { TObject } from 'typebox'
import type { Issue } from '../lib/issue.ts'
import type { ConditionTable, Reason } from './conditions.ts'
import { dependencies, type Reference } from './references.ts'

export const GROUP = 'stateward.dev'
export const VERSION = 'v1alpha1'
export const API_VERSION = `${GROUP}/${VERSION}`

export type Scope = 'Namespaced' | 'Cluster'

/** A column of `get` and of `kubectl get`: the CRD's additionalPrinterColumns are these without what is not written back to a cluster. */
export interface PrinterColumn {
  readonly name: string
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date'
  /** Kubernetes JSONPath without braces, e.g. `.status.phase`. A condition: `.status.conditions[?(@.type=="Ready")].status`. */
  readonly jsonPath: string
  readonly description: string
  /** 0 = always, 1 = only with `-o wide`. */
  readonly priority: 0 | 1
}

/** A file or directory of the state repo that belongs to an object's digest. */
export interface FileReference {
  readonly type: 'tree' | 'blob'
  readonly path: string
  readonly pointer: string
  /** It takes part when it is there, and need not be. */
  readonly optional?: true
}

/** A rule a JSON Schema cannot say; the CRD carries it, and the parser evaluates it on `self` = spec. */
export interface CelRule {
  readonly rule: string
  readonly message: string
  /** What to do about it; the CRD has no place for it. */
  readonly hint?: string
}

/** A semantic problem of one spec, before it has a place in a file. */
export type SpecProblem = Pick<Issue, 'code' | 'message' | 'hint'> & {
  /** Pointer from the document's root, e.g. `/spec/plan/2/id`. */
  readonly pointer: string
  /** Where the problem is a part of the text at the pointer: its offset in that text. */
  readonly offset?: number
  readonly severity?: 'error' | 'warning'
}

/** What can be declared. One folder a kind holds one of these; `registry.ts` lists them. Pure: no I/O. */
export interface KindDefinition {
  readonly kind: string
  readonly plural: string
  readonly singular: string
  readonly shortNames: readonly string[]
  readonly scope: Scope
  readonly description: string
  /** The spec as written: unknown fields refused, defaults declared with `default` but filled only on the merged result. */
  readonly spec: TObject
  /** What the spec has to be after template ← object ← Environment.overrides and after defaults; without it, `spec`. */
  readonly mergedSpec?: TObject
  /** The status as read back by people and kubectl. */
  readonly status: TObject
  readonly columns: readonly PrinterColumn[]
  readonly conditions: ConditionTable
  readonly celRules: readonly CelRule[]
  /** Pointers into status that change by themselves (heartbeat times, pids, counters): left out of the status branch. `*` stands for every item of a list. */
  readonly volatile: readonly string[]
  /** Also `dependsOn`, which every kind has: {@link defineKind} adds it. */
  readonly references: (spec: Readonly<Record<string, unknown>>) => readonly Reference[]
  readonly files: (spec: Readonly<Record<string, unknown>>) => readonly FileReference[]
  /** Checks that a schema and CEL cannot say; run on a spec that passed its schema. */
  readonly check: (spec: Readonly<Record<string, unknown>>) => readonly SpecProblem[]
  /** What only the whole can say: run on the merged spec, after `check`. */
  readonly checkMerged: (spec: Readonly<Record<string, unknown>>) => readonly SpecProblem[]
  /** Reasons its conditions may carry; the reference page lists them. */
  readonly reasons: readonly Reason[]
  /** True when the kind is accepted but not enforced yet: Ready=Unknown, NotYetEnforced. */
  readonly notYetEnforced: boolean
  /** A complete manifest, shown in the reference page and checked by a test. */
  readonly example: string
}

/** Fills what most kinds leave empty. */
export function defineKind(
  definition: Pick<
    KindDefinition,
    'kind' | 'plural' | 'singular' | 'shortNames' | 'scope' | 'description' | 'spec' | 'example'
  > &
    Partial<KindDefinition> &
    Pick<KindDefinition, 'conditions' | 'columns' | 'status' | 'reasons'>,
): KindDefinition {
  return Object.freeze({
    celRules: [],
    volatile: [],
    files: () => [],
    check: () => [],
    checkMerged: () => [],
    notYetEnforced: false,
    ...definition,
    references: (spec: Readonly<Record<string, unknown>>) => [
      ...(definition.references?.(spec) ?? []),
      ...dependencies(spec),
    ],
  })
}
