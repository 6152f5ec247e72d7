import type { SecretReader } from '../agents/ports.ts'
import type { Environment } from '../config/environment.ts'
import type { ToolSpec } from '../kinds/tool/tool.schema.ts'
import type { Clock } from '../lib/clock.ts'
import type { World } from '../reconcile/world.ts'
import { BUILTIN_TOOLS } from '../tools/builtins.ts'
import type { ArtifactSink, DeclaredTool, ToolRunner } from '../tools/ports.ts'
import { createToolRegistry } from '../tools/registry.ts'

/** The tools a run can call: those built in, and the Tool objects as accepted last. */
export function toolRegistry(deps: {
  readonly clock: Clock
  readonly environment: Environment
  readonly world: World
  readonly secrets: SecretReader
  readonly artifacts: ArtifactSink
  readonly redactor: (secrets: readonly string[]) => (text: string) => string
}): ToolRunner {
  let known: { readonly version: number; readonly tools: readonly DeclaredTool[] } | null = null
  return createToolRegistry({
    builtins: BUILTIN_TOOLS,
    declared() {
      if (known?.version !== deps.world.version)
        known = { version: deps.world.version, tools: declaredTools(deps.world) }
      return known.tools
    },
    clock: deps.clock,
    environment: deps.environment,
    secret: deps.secrets,
    artifacts: deps.artifacts,
    redactor: deps.redactor,
  })
}

function declaredTools(world: World): DeclaredTool[] {
  const tools: DeclaredTool[] = []
  for (const object of world.ofKind('Tool').values()) {
    if (object.deleting) continue
    tools.push({ namespace: object.namespace, name: object.name, spec: world.effective(object) as unknown as ToolSpec })
  }
  return tools
}
