import { type CompiledPolicy, compilePolicy, type PolicyVersion } from './evaluate/compile.ts'
import type { PolicyLog, PolicySource } from './ports.ts'

/**
 * The policies in force, compiled once a version. Looks again when what was accepted has changed; between two changes it
 * costs a comparison of two numbers.
 */
export class PolicyBook {
  readonly #source: PolicySource
  readonly #log: PolicyLog
  readonly #compiled = new Map<string, CompiledPolicy>()
  #version = -1
  #policies: readonly CompiledPolicy[] = []
  #namespaces: ReadonlySet<string> = new Set()

  constructor(source: PolicySource, log: PolicyLog) {
    this.#source = source
    this.#log = log
  }

  get policies(): readonly CompiledPolicy[] {
    this.#look()
    return this.#policies
  }

  /** Whether a policy can be about what is in this namespace; null = in none. */
  asks(namespace: string | null): boolean {
    this.#look()
    return namespace === null ? this.#policies.length > 0 : this.#namespaces.has(namespace)
  }

  #look(): void {
    const version = this.#source.version()
    if (version === this.#version) return
    this.#version = version
    const active = this.#source.active()
    const keys = new Set(active.map(keyOf))
    for (const key of this.#compiled.keys()) if (!keys.has(key)) this.#compiled.delete(key)
    this.#policies = active.map((policy) => this.#compile(policy))
    this.#namespaces = new Set(active.map(({ namespace }) => namespace))
  }

  #compile(policy: PolicyVersion): CompiledPolicy {
    const key = keyOf(policy)
    let compiled = this.#compiled.get(key)
    if (compiled === undefined) {
      compiled = this.#tryToCompile(policy)
      this.#compiled.set(key, compiled)
    }
    return compiled
  }

  /** What was accepted before its rules were checked may not compile: nobody can tell what it says, so it denies. */
  #tryToCompile(policy: PolicyVersion): CompiledPolicy {
    try {
      return compilePolicy(policy)
    } catch (error) {
      const { spec, ...ref } = policy
      this.#log.error(
        { policy: `${ref.namespace}/${ref.name}`, version: ref.version, err: error },
        'a policy is broken',
      )
      const reason = 'the policy cannot be read: correct it'
      const requirements = { approvals: [], testsRequired: false, timeWindow: null }
      return {
        ref,
        enforced: spec.enforcement !== 'evaluate_only',
        rules: 0,
        ask: () => ({ effect: 'deny', rule: spec.rules?.[0]?.id ?? '', reason, requirements }),
      }
    }
  }
}

function keyOf({ namespace, name, uid, version }: PolicyVersion): string {
  return `${namespace}/${name}@${uid ?? ''}@${version}`
}
