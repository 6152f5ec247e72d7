import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Json } from '../lib/json.ts'
import type { ProgramKeeper } from '../mcp/ports.ts'
import type { NetworkRules } from '../tools/net/reach.ts'
import { confined } from '../tools/sandbox/confine.ts'
import type { ProgramLimits } from '../tools/sandbox/limits.ts'
import type { Sandbox } from '../tools/sandbox/sandbox.ts'

/** Servers that are programs: each in a folder of its own, confined as programs of Tools are. */
export function mcpPrograms(
  data: string,
  rulesOf: (namespace: string) => NetworkRules,
  sandbox: () => Promise<Sandbox>,
): ProgramKeeper {
  return {
    async folderOf({ namespace, name }) {
      const folder = resolve(join(data, 'mcp', namespace, name))
      await mkdir(folder, { recursive: true, mode: 0o700 })
      return folder
    },
    async confined({ namespace, spec }, workspace, log) {
      const { command, trusted = false, sandbox: settings = {} } = spec.stdio!
      const rules = rulesOf(namespace)
      return confined(await sandbox(), command, {
        isTrusted: trusted,
        isRequired: settings.required === true || rules.sandboxRequired === true,
        network: settings.network ?? true,
        limits: (settings.limits ?? {}) as ProgramLimits,
        ...{ rules, workspace, log },
      })
    },
    rules: (namespace) => ({ ...rulesOf(namespace) }) as Json,
  }
}
