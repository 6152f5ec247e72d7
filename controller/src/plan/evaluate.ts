import { compileBlueprint } from '../blueprints/compile.ts'
import type { CompileResult } from '../blueprints/compile-result.ts'
import { compileOperation } from '../blueprints/operation-plan.ts'
import type { SpecProblem } from '../kinds/definition.ts'
import type { PolicySpec } from '../kinds/policy/policy.schema.ts'
import type { Reference } from '../kinds/references.ts'
import { KINDS, kindOf } from '../kinds/registry.ts'
import { keyOf, type ObjectKey, type Resource } from '../kinds/resource.ts'
import type { SourceSpec } from '../kinds/source/source.schema.ts'
import { fillDefaults, validateFilled, validateMerged } from '../kinds/validate.ts'
import { closest } from '../lib/closest.ts'
import { type Issue, placeOf } from '../lib/issue.ts'
import type { JsonObject } from '../lib/json.ts'
import { checkPolicy } from '../policy/evaluate/check-policy.ts'
import type { ActualState } from './actual-state.ts'
import { checkToolUndo } from './check-tool-undo.ts'
import { type Declared, type DesiredState, targetKey } from './desired-state.ts'
import { type EffectiveSpec, effectiveSpec } from './effective-spec.ts'
import { checkHealthExpressions } from './health-expressions.ts'

export interface Evaluation {
  readonly effective: EffectiveSpec
  readonly issues: readonly Issue[]
}

/** Objects that are refused for how they stand to each other. */
export interface Refused {
  readonly cyclic: ReadonlySet<ObjectKey>
  readonly duplicates: ReadonlySet<ObjectKey>
}

/** Answers for one declared object at a time; remembers what it worked out. Pure. */
export class Evaluator {
  readonly #desired: DesiredState
  readonly #actual: ActualState
  readonly #fileOid: (path: string) => string | null
  readonly #toolSchema: (name: string, namespace: string) => JsonObject | null
  readonly #refused: Refused
  readonly #known = new Map<ObjectKey, Evaluation>()
  /** By key and digest of the spec: a blueprint that is broken now is called as it was before. */
  readonly #plans = new Map<string, CompileResult>()
  /** Tools by `namespace/alias`; made when a name is no tool's own. */
  #aliases: Map<string, Declared> | null = null

  constructor(
    desired: DesiredState,
    actual: ActualState,
    fileOid: (path: string) => string | null,
    builtinToolSchema: (name: string) => JsonObject | null,
    refused: Refused,
  ) {
    this.#desired = desired
    this.#actual = actual
    this.#refused = refused
    this.#fileOid = fileOid
    this.#toolSchema = (name, namespace) => this.#declaredToolSchema(name, namespace) ?? builtinToolSchema(name)
  }

  /** What a declaration comes to, and everything that is wrong with it beyond its own document. */
  evaluate(resource: Resource): Evaluation {
    const key = keyOf(resource)
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const effective = effectiveSpec(resource, {
      get: (k) => this.#desired.get(k)?.resource ?? null,
      fileOid: this.#fileOid,
    })
    const filled = fillDefaults(resource.kind, effective.spec)
    const merged =
      effective.spec === resource.spec ? validateFilled(resource.kind, filled) : validateMerged(resource.kind, filled)
    const problems: SpecProblem[] = [
      ...merged,
      ...effective.missingFiles.map(missingFile),
      ...this.#secretsInFiles(resource, effective.spec),
    ]
    this.#checkReferences(resource, key, problems)
    if (merged.length === 0 && !this.#refused.cyclic.has(key)) {
      const reported = new Set(problems.map(({ pointer }) => pointer))
      problems.push(...this.#planProblems(resource, filled).filter(({ pointer }) => !reported.has(pointer)))
    }
    const evaluation = { effective, issues: problems.map((found) => issueOf(found, resource)) }
    this.#known.set(key, evaluation)
    return evaluation
  }

  /** Whether something that names this key can rely on it: it is sound now, or has a good revision from before. */
  #standing(key: ObjectKey, namer: ObjectKey): 'good' | 'broken' | 'missing' {
    const before = this.#actual.get(key)
    if (before !== undefined && !before.deleting && (this.#desired.all(key).length > 0 || this.#isIdentified(key)))
      return 'good'
    const declared = this.#desired.get(key)
    if (declared === null) return this.#desired.all(key).length > 0 || this.#isIdentified(key) ? 'broken' : 'missing'
    // Within a cycle the cycle itself is what is reported.
    if (this.#refused.cyclic.has(key)) return this.#refused.cyclic.has(namer) ? 'good' : 'broken'
    if (this.#refused.duplicates.has(key)) return 'broken'
    return this.evaluate(declared.resource).issues.some((issue) => issue.severity === 'error') ? 'broken' : 'good'
  }

  #isIdentified(key: ObjectKey): boolean {
    for (const file of this.#desired.troubled()) if (file.identified.includes(key)) return true
    return false
  }

  #checkReferences(resource: Resource, key: ObjectKey, problems: SpecProblem[]): void {
    for (const reference of kindOf(resource.kind)?.references(resource.spec) ?? []) {
      if (reference.strength === 'optional') continue
      const standingOf = (kind: string) => this.#standing(targetKey(kind, resource.namespace, reference.name), key)
      const first = standingOf(reference.kind)
      if (first === 'good') continue
      const others = (reference.alternatives ?? []).map(standingOf)
      if (others.includes('good')) continue
      const broken = first === 'broken' || others.includes('broken')
      problems.push(broken ? brokenReference(reference) : missingReference(reference, resource))
    }
  }

  /** A file with a secret in plain sight is never handed to what names it. */
  #secretsInFiles(resource: Resource, spec: JsonObject): SpecProblem[] {
    return (kindOf(resource.kind)?.files(spec) ?? []).flatMap(({ path, pointer }) => {
      const [first, ...more] = this.#desired.secretsBelow(path)
      if (first === undefined) return []
      const rest = more.length === 0 ? '' : `, and ${more.length} more`
      const message = `a secret stands in plain sight in a file it names: ${placeOf(first)}${rest}`
      return [problem('SW_PLAINTEXT_SECRET', pointer, message, first.hint)]
    })
  }

  /** What is wrong with what it would have runs do, or policies decide. */
  #planProblems(resource: Resource, spec: JsonObject): readonly SpecProblem[] {
    const { kind, namespace, name } = resource
    if (kind === 'Policy') return checkPolicy(spec as unknown as PolicySpec)
    if (kind === 'Source') return checkHealthExpressions(spec as unknown as SourceSpec)
    if (kind === 'Tool') return checkToolUndo(name, spec, (tool) => this.#toolSchema(tool, namespace))
    if (kind !== 'Blueprint' && kind !== 'Operation') return []
    const compiled =
      kind === 'Blueprint'
        ? this.#compiled(resource, spec)
        : compileOperation(
            { namespace, name, spec, place: () => null },
            { toolSchema: (tool) => this.#toolSchema(tool, namespace) },
          )
    return compiled === null || compiled.ok ? [] : compiled.problems
  }

  #compiled(resource: Resource, spec: JsonObject): CompileResult {
    const key = `${keyOf(resource)}@${resource.specDigest}`
    const known = this.#plans.get(key)
    if (known !== undefined) return known
    const { namespace, name } = resource
    const compiled = compileBlueprint(
      { namespace, name, spec, place: () => null },
      {
        toolSchema: (tool) => this.#toolSchema(tool, namespace),
        blueprint: (other) => this.#called(targetKey('Blueprint', namespace, other)),
      },
    )
    this.#plans.set(key, compiled)
    return compiled
  }

  /** The blueprint a step calls: as it is declared, or its last good revision when that is broken. */
  #called(key: ObjectKey): CompileResult | null {
    if (this.#refused.cyclic.has(key)) return null
    const declared = this.#desired.get(key)?.resource
    const isGood =
      declared !== undefined && !this.evaluate(declared).issues.some(({ severity }) => severity === 'error')
    if (isGood) return this.#compiled(declared, fillDefaults('Blueprint', this.evaluate(declared).effective.spec))
    const before = this.#actual.get(key)
    if (before === undefined || before.deleting) return null
    const resource = { ...before, origin: { file: before.file, document: before.document } }
    return this.#compiled(resource, fillDefaults('Blueprint', before.spec))
  }

  #declaredToolSchema(name: string, namespace: string): JsonObject | null {
    const declared = this.#desired.get(targetKey('Tool', namespace, name)) ?? this.#toolByAlias(name, namespace)
    return declared === null ? null : ((declared.resource.spec['inputSchema'] as JsonObject | undefined) ?? {})
  }

  #toolByAlias(alias: string, namespace: string): Declared | null {
    if (this.#aliases === null) {
      this.#aliases = new Map()
      for (const key of this.#desired.keys()) {
        const tool = key.startsWith('Tool/') ? this.#desired.get(key) : null
        const aliases = tool?.resource.spec['aliases']
        if (!Array.isArray(aliases)) continue
        for (const one of aliases) this.#aliases.set(`${tool!.resource.namespace}/${String(one)}`, tool!)
      }
    }
    return this.#aliases.get(`${namespace}/${alias}`) ?? null
  }
}

function missingFile({ path, pointer }: EffectiveSpec['missingFiles'][number]): SpecProblem {
  const hint = 'add it, or correct the path (it starts at the root of the repo)'
  return problem('SW_FILE_NOT_FOUND', pointer, `${path} is not in the state repo`, hint)
}

function missingReference(reference: Reference, resource: Resource): SpecProblem {
  if (kindOf(reference.kind) === undefined) {
    const names = KINDS.map((known) => known.kind)
    const near = closest(reference.kind, names)
    const hint = near === undefined ? `kinds are: ${names.join(', ')}` : `did you mean ${near}?`
    return problem('SW_UNKNOWN_KIND', reference.pointer, `there is no kind ${JSON.stringify(reference.kind)}`, hint)
  }
  const where =
    resource.namespace === '' || targetKey(reference.kind, resource.namespace, '').split('/').length === 2
      ? ''
      : ` in namespace ${resource.namespace}`
  return problem(
    'SW_REFERENCE_NOT_FOUND',
    reference.pointer,
    `${reference.kind} ${reference.name} does not exist${where}`,
    'add it to the state repo, or correct the name',
  )
}

function brokenReference(reference: Reference): SpecProblem {
  return problem(
    'SW_REFERENCE_BROKEN',
    reference.pointer,
    `${reference.kind} ${reference.name} is broken and was never applied`,
    'correct that object first',
  )
}

function problem(code: string, pointer: string, message: string, hint: string): SpecProblem {
  return { code, pointer, message, hint }
}

/** A problem of an object as an issue of its file; line and column are looked up later, from the file's text. */
export function issueOf(found: SpecProblem, resource: Resource): Issue {
  return {
    code: found.code,
    severity: found.severity ?? 'error',
    message: found.message,
    hint: found.hint,
    file: resource.origin.file,
    document: resource.origin.document,
    pointer: `${resource.origin.base ?? ''}${found.pointer}`,
    object: keyOf(resource),
    ...(found.offset === undefined ? {} : { offset: found.offset }),
  }
}
