import { dump } from 'js-yaml'
import { API_VERSION } from '../kinds/definition.ts'
import type { JsonObject } from '../lib/json.ts'
import { aliasOf, type OfferedTool, offeredDigest, toolNames, withoutShellMarks } from './offered-tool.ts'

/** A Tool as it is declared now. */
export interface DeclaredPin {
  readonly tool: string
  readonly name: string
  /** As written. */
  readonly spec: JsonObject
}

const LONGEST_DESCRIPTION = 4096

/** `tools.lock/<namespace>.<server>.yaml`, from the root of the source. */
export function lockPath(namespace: string, server: string): string {
  return `tools.lock/${namespace}.${server}.yaml`
}

/**
 * The documents that pin what a server offers: one Tool each. What people said of a Tool (its risk, its permissions, its
 * limits) stays; description, schemas and digest become those that are offered. Tools that are not offered any more stay as
 * they are: taking them away is a decision of its own. Pure.
 */
export function lockText(
  server: { readonly namespace: string; readonly name: string },
  offered: readonly OfferedTool[],
  declared: readonly DeclaredPin[],
): string {
  const names = toolNames(
    server.name,
    offered.map(({ name }) => name),
  )
  const known = new Map(declared.map((each) => [each.name, each]))
  const here = new Map(offered.map((each) => [each.name, each]))
  const documents = [...new Set([...here.keys(), ...known.keys()])].sort().map((name) => {
    const [pin, tool] = [known.get(name), here.get(name)]
    const spec = tool === undefined ? pin!.spec : lockedSpec(server.name, tool, pin, names.get(name)!)
    return {
      apiVersion: API_VERSION,
      kind: 'Tool',
      metadata: { name: pin?.tool ?? names.get(name)!, namespace: server.namespace },
      spec,
    }
  })
  const head = `# Tools of McpServer ${server.namespace}/${server.name}, as it offered them. \`stateward tool lock ${server.name}\` writes this file; once it is merged they may be called.
# Everything but executor, description and schemas is yours to change.\n`
  return head + documents.map((document) => dump(document, { lineWidth: 120, noRefs: true })).join('---\n')
}

function lockedSpec(server: string, tool: OfferedTool, pin: DeclaredPin | undefined, name: string): JsonObject {
  const { description, outputSchema } = tool
  const said = pin?.spec ?? claimed(tool, aliasOf(server, tool.name, name))
  const { outputSchema: _, description: __, ...rest } = said
  return {
    ...(description === undefined ? {} : { description: description.slice(0, LONGEST_DESCRIPTION) }),
    ...rest,
    executor: { mcp: { server, tool: tool.name, digest: offeredDigest(tool) } },
    inputSchema: withoutShellMarks(tool.inputSchema) as JsonObject,
    ...(outputSchema === undefined ? {} : { outputSchema: withoutShellMarks(outputSchema) as JsonObject }),
  }
}

/** What a server claims of a tool it offers for the first time; whoever merges it makes the claim his own. */
function claimed({ annotations }: OfferedTool, alias: string | null): JsonObject {
  const readOnly = annotations?.['readOnlyHint'] === true
  const harmless = readOnly || annotations?.['destructiveHint'] === false
  return {
    risk: readOnly ? 'low' : harmless ? 'medium' : 'high',
    sideEffects: readOnly ? 'none' : 'irreversible',
    idempotent: readOnly || annotations?.['idempotentHint'] === true,
    ...(alias === null ? {} : { aliases: [alias] }),
  }
}
