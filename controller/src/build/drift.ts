import type { Agents } from '../agents/agents.ts'
import type { DriftVerbs } from '../api/ports/drift.ts'
import { keyOf } from '../kinds/resource.ts'
import { fail } from '../lib/error-catalogue.ts'
import type { Json } from '../lib/json.ts'
import type { FieldValue } from '../proposals/edit-manifest.ts'
import type { Controller } from '../reconcile/controller.ts'
import { DriftKeeper, driftEvent } from '../reconcile/drift/keeper.ts'
import { modelAliasDrift } from '../reconcile/drift/model-aliases.ts'
import { overrideDrift } from '../reconcile/drift/overrides.ts'
import type { DriftSource } from '../reconcile/drift/ports.ts'
import { replicaDrift } from '../reconcile/drift/replicas.ts'
import { toolSchemaDrift } from '../reconcile/drift/tool-schemas.ts'
import type { World, WorldObject } from '../reconcile/world.ts'
import { appendEvents } from '../store/log.ts'
import { type DriftRow, driftById, markAdopted, markEnforcing } from '../store/queries/drifts.ts'
import type { Store } from '../store/store.ts'
import { transact } from '../store/transact.ts'
import { fileDrift } from './drift-files.ts'
import { type ProposingDeps, proposeFileFor, proposeFor } from './object-proposals.ts'
import type { OpenSource } from './source.ts'

/** Everything that is watched for differences from Git; one line more for what is to be watched in addition. */
export function driftKeeper(deps: {
  readonly store: Store
  readonly world: World
  readonly source: OpenSource
  readonly agents: Agents
  /** Proposes what an McpServer offers now. */
  readonly lockTools: Parameters<typeof toolSchemaDrift>[0]
  /** Proposes a merge patch of an object. */
  readonly proposeUpdate: Parameters<typeof modelAliasDrift>[0]
}): DriftKeeper {
  const { store, world, source, agents } = deps
  const sources: readonly DriftSource[] = [
    overrideDrift(store, world),
    replicaDrift((uid, name) => keeper.isEnforcing(uid, name)),
    fileDrift(source, agents.fleet.trees, store.clock),
    toolSchemaDrift(deps.lockTools),
    modelAliasDrift(deps.proposeUpdate),
  ]
  const keeper: DriftKeeper = new DriftKeeper(store, sources)
  return keeper
}

export interface DriftVerbDeps extends ProposingDeps {
  readonly world: World
  readonly controller: Controller
  readonly drift: DriftKeeper
}

/** Both directions out of a difference: live as Git says, or Git as it is live. */
export function driftVerbs(deps: DriftVerbDeps): DriftVerbs {
  const { store, world, controller, drift } = deps
  const found = async (id: string) => {
    const row = await driftById(store.engine, id)
    const object = row === null ? undefined : world.get(keyOf(row))
    const source = row === null ? null : drift.sourceOf(row)
    if (row === null || object === undefined || object.uid !== row.object_uid || source === null)
      throw fail('SW_NOT_FOUND', `there is no difference ${id} any more`)
    return { row, object, source }
  }
  return {
    async enforce(id, { reason }, caller) {
      const { row, object, source } = await found(id)
      if (source.cannotEnforce !== undefined)
        throw fail('SW_CONFLICT', `${row.field} cannot be put back: ${source.cannotEnforce}`)
      await transact(store, async (tx) => {
        await markEnforcing(tx, id)
        const events = (await source.enforce?.(tx, object, row, caller)) ?? []
        await appendEvents(tx, store, [
          ...events,
          driftEvent('enforced', row, { at: store.clock.now(), ...caller }, { reason }),
        ])
      })
      drift.changed({ ...row, enforcing: true })
      await controller.overridesChanged([keyOf(object)])
      return { id }
    },
    async adopt(id, { reason }, caller) {
      const { row, object, source } = await found(id)
      const adoption = await source.adoption(object, row)
      const options = { ...caller, reason, merge: false, trailers: [`Stateward-Drift: ${row.id}`] }
      const made =
        'propose' in adoption
          ? await adoption.propose(caller)
          : 'edits' in adoption
            ? await proposeFor(
                deps,
                object,
                {
                  verb: 'adopt',
                  of: row.field.split('/').at(-1)!,
                  edits: adoption.edits.map(({ field, value }) => ({ field, value: fieldValue(field, value) })),
                },
                options,
              )
            : await proposeFileFor(deps, object, adoption, options)
      if (made === null) throw notFromHere(row, object)
      await transact(store, async (tx) => {
        const { branch, commit } = made
        await markAdopted(tx, id, { branch, commit })
        await appendEvents(tx, store, [
          driftEvent('adopted', row, { at: store.clock.now(), ...caller }, { reason, branch, commit }),
        ])
      })
      drift.changed({ ...row, branch: made.branch, commit: made.commit })
      return { id, branch: made.branch, commit: made.commit }
    },
  }
}

/** Overrides hold what a field of a file can. */
function fieldValue(field: string, value: Json | undefined): FieldValue | undefined {
  if (value === null || Array.isArray(value))
    throw fail('SW_CONFLICT', `${field} cannot be written into a file from here`)
  return value as FieldValue | undefined
}

function notFromHere({ field, live }: DriftRow, { file }: WorldObject): Error {
  return fail('SW_CONFLICT', 'no proposal can be made from here', {
    remedy: `Git says it already, or the state repo is not this server's to write: commit ${field} = ${JSON.stringify(live)} in ${file} yourself`,
  })
}
