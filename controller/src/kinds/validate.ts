import type { TSchema } from 'typebox'
import { digestOf } from '../lib/digest.ts'
import { isObject, type JsonObject } from '../lib/json.ts'
import { blueprintV0 } from './blueprint/blueprint-v0.schema.ts'
import { compileDefaults, type Filler } from './defaults.ts'
import type { KindDefinition, Scope, SpecProblem } from './definition.ts'
import { checkMetadata, type Metadata, metadataSchema } from './metadata.ts'
import { KINDS, kindOf } from './registry.ts'
import { compileSchema, type Validator } from './schema-compiler.ts'
import { problemsOf } from './schema-problems.ts'
import { KEYWORDS } from './vocabulary.ts'

/** Checks documents against their kinds. Pure and fast: a kind's schema is compiled at its first use and kept. */

interface Compiled {
  readonly raw: Validator
  readonly merged: Validator
  readonly fill: Filler
}

const compiledKinds = new Map<string, Compiled>()
let metadataValidator: Validator | undefined
let v0Validator: Validator | undefined

/** Digest over every schema: what was validated under another one has to be validated again. */
export const SCHEMA_VERSION: string = digestOf({
  metadata: metadataSchema,
  blueprintV0,
  kinds: KINDS.map(({ kind, scope, spec, mergedSpec, celRules }) => ({ kind, scope, spec, mergedSpec, celRules })),
})

/** All problems of a spec as written; empty when it is good. Throws for a kind that is not registered: look it up first. */
export function validateSpec(kind: string, spec: unknown): SpecProblem[] {
  const definition = definitionOf(kind)
  return validate(definition, compiledOf(definition).raw, spec)
}

/** All problems of a spec after template, overrides and defaults ({@link fillDefaults}). */
export function validateMerged(kind: string, spec: unknown): SpecProblem[] {
  const definition = definitionOf(kind)
  const problems = validate(definition, compiledOf(definition).merged, spec)
  return problems.length === 0 && isObject(spec) ? [...definition.checkMerged(spec)] : problems
}

/**
 * The same for a spec that passed {@link validateSpec} and got nothing but its defaults. Those fit the schema (a test of every
 * kind says so), which leaves what fields say of each other.
 */
export function validateFilled(kind: string, spec: JsonObject): SpecProblem[] {
  const definition = definitionOf(kind)
  return definition.mergedSpec === undefined ? [...definition.check(spec)] : validateMerged(kind, spec)
}

/** The spec with every default filled; the argument is not changed, parts without defaults are shared with it. */
export function fillDefaults(kind: string, spec: JsonObject): JsonObject {
  return compiledOf(definitionOf(kind)).fill(spec) as JsonObject
}

/** All problems of a document's metadata, fields that only the controller sets left out before. */
export function validateMetadata(metadata: unknown, scope: Scope): SpecProblem[] {
  metadataValidator ??= compileSchema(metadataSchema)
  if (!metadataValidator(metadata)) return problemsOf(metadataValidator.errors ?? [], '/metadata')
  return checkMetadata(metadata as Metadata, scope)
}

/** All problems of a flat blueprint of the first format; pointers are those of its own document. */
export function validateBlueprintV0(document: unknown): SpecProblem[] {
  v0Validator ??= compileSchema(blueprintV0)
  return v0Validator(document) ? [] : problemsOf(v0Validator.errors ?? [], '')
}

function validate(definition: KindDefinition, validator: Validator, spec: unknown): SpecProblem[] {
  if (!validator(spec)) return problemsOf(validator.errors ?? [], '/spec')
  return isObject(spec) ? [...definition.check(spec)] : []
}

function definitionOf(kind: string): KindDefinition {
  const definition = kindOf(kind)
  if (definition === undefined) throw new RangeError(`there is no kind ${JSON.stringify(kind)}`)
  return definition
}

function compiledOf(definition: KindDefinition): Compiled {
  let compiled = compiledKinds.get(definition.kind)
  if (compiled === undefined) {
    const raw = compileSchema(withRules(definition.spec, definition))
    compiled = {
      raw,
      merged: definition.mergedSpec === undefined ? raw : compileSchema(withRules(definition.mergedSpec, definition)),
      fill: compileDefaults(definition.spec) ?? ((spec) => spec),
    }
    compiledKinds.set(definition.kind, compiled)
  }
  return compiled
}

/** The kind's own rules are the rules of the spec's root. */
function withRules(spec: TSchema, definition: KindDefinition): TSchema {
  return definition.celRules.length === 0 ? spec : { ...spec, [KEYWORDS.rules]: definition.celRules }
}
