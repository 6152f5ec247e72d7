import { registerHooks } from 'node:module'
import { KINDS } from '../../kinds/registry.ts'
import { constructs } from './constructs.ts'

const SDK = new URL('../../../../sdk/constructs/src/', import.meta.url)
const KINDS_FILE = new URL('kinds.ts', SDK).href

/**
 * The example names the published package; here that is the folder it is made from, with the kinds as they are now and not as
 * they were when that folder was written last.
 */
registerHooks({
  resolve(specifier, context, next) {
    if (specifier === 'stateward-constructs') return next(new URL('index.ts', SDK).href, context)
    if (specifier === './kinds.ts' && context.parentURL?.startsWith(SDK.href) === true)
      return { url: KINDS_FILE, shortCircuit: true }
    return next(specifier, context)
  },
  load: (url, context, next) =>
    url === KINDS_FILE
      ? { format: 'module-typescript', source: constructs(KINDS), shortCircuit: true }
      : next(url, context),
})
