import { fail } from '../../lib/error-catalogue.ts'
import { isObject } from '../../lib/json.ts'
import type { DriftSource } from './ports.ts'

/**
 * Models of a provider for which another one answered. Which one answers is the provider's to say, so nothing can be put
 * back; and which one is to be asked is said by its models, by routes and by agents, so that is left to people.
 */
export const modelAliasDrift: DriftSource = {
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
    throw fail('SW_CONFLICT', `which model is asked is said by the models of ${object.name}, by routes and by agents`, {
      remedy: `name ${String(live)} instead of ${String(declared)} where it is meant: begin with ${object.file}`,
    })
  },
}
