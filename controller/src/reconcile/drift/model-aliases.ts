import type { ModelProviderSpec } from '../../kinds/model-provider/model-provider.schema.ts'
import type { ObjectRef } from '../../kinds/resource.ts'
import { fail } from '../../lib/error-catalogue.ts'
import { isObject, type JsonObject } from '../../lib/json.ts'
import type { DriftCaller, DriftSource, Proposed } from './ports.ts'

/**
 * Models of a provider for which another one answered. Which one answers is the provider's to say, so nothing can be put
 * back; adopting proposes that this one may answer for it.
 */
export function modelAliasDrift(
  propose: (ref: ObjectRef, patch: JsonObject, caller: DriftCaller) => Promise<Proposed>,
): DriftSource {
  return {
    name: 'model',
    cannotEnforce: 'which model answers is for the provider to say: ask for another one, or suspend it',
    find({ object, fields }) {
      if (object.kind !== 'ModelProvider' || !Array.isArray(fields['drift'])) return []
      return fields['drift'].filter(isObject).map(({ asked, answered }) => ({
        field: `model/${String(asked)}`,
        live: String(answered),
        declared: String(asked),
        detail: `${String(answered)} answered for ${String(asked)}`,
        by: null,
      }))
    },
    adoption(object, { live, declared }) {
      const { models = [] } = object.spec as unknown as ModelProviderSpec
      if (!models.some(({ name }) => name === declared))
        throw fail('SW_CONFLICT', `${object.name} does not declare the model ${String(declared)}`, {
          remedy: `add it to spec.models of ${object.file}, with answeredBy: [${String(live)}]`,
        })
      const adopted = models.map((model) =>
        model.name === declared ? { ...model, answeredBy: [...(model.answeredBy ?? []), String(live)] } : model,
      )
      const { kind, namespace, name } = object
      const patch = { spec: { models: adopted } } as unknown as JsonObject
      return { propose: (caller) => propose({ kind, namespace, name }, patch, caller) }
    },
  }
}
