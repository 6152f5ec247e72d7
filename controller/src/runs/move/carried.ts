import { canonicalJson, sha256 } from '../../lib/digest.ts'
import { uuidv7 } from '../../lib/ids.ts'
import type { Json, JsonObject } from '../../lib/json.ts'
import type { LargeValue } from '../ports.ts'

const MAX_EVENT_VALUE_BYTES = 32 * 1024

/**
 * A value as an event carries it: whole while it is small, else the artifact that holds it, its digest and its size.
 * `artifactOf` gives the artifact of such a value, whose bytes are `text` and whose sha256 is `digest`; null when none has
 * it (any more). The row of the run or step has the value whole in any case.
 */
export function carried(
  name: string,
  value: Json,
  artifactOf: (text: string, digest: string) => string | null,
  bytes = Buffer.byteLength(JSON.stringify(value)),
): JsonObject {
  if (bytes <= MAX_EVENT_VALUE_BYTES) return { [name]: value }
  const text = canonicalJson(value)
  const digest = sha256(text)
  const artifact = artifactOf(text, digest)
  const named = artifact === null ? {} : { [`${name}_artifact`]: artifact }
  return { ...named, [`${name}_digest`]: digest, [`${name}_bytes`]: bytes }
}

/** Gives each large value an artifact that is to be kept, the same one to equal values; `kept` collects them. */
export function keepingIn(kept: LargeValue[], at: Date, of: Omit<LargeValue, 'artifactId' | 'at' | 'text' | 'digest'>) {
  return (text: string, digest: string): string => {
    const known = kept.find((one) => one.digest === digest)
    if (known !== undefined) return known.artifactId
    const value = { ...of, at, text, digest, artifactId: uuidv7(at.getTime()) }
    kept.push(value)
    return value.artifactId
  }
}
