import type { CompiledStep } from '../../blueprints/compiled-plan.ts'
import type { Frame, Placed } from '../state/frame.ts'
import { beginLoop, iterationOf } from '../state/loop.ts'
import { beginCall, type PlaceInNest, placeInNest } from '../state/nest.ts'
import type { RunState } from '../state/run-state.ts'

/** Where the steps of a run stood, whether or not their loops and calls have ended: what they could read then. */
export class Places {
  readonly #run: RunState
  readonly #frames = new Map<string, Frame>()

  constructor(run: RunState) {
    this.#run = run
    this.#frames.set('', run.root)
  }

  /** Throws what working out the items of a loop, or the inputs of a call, throws. Undefined: the plan has no such step. */
  step(path: string): Placed | undefined {
    return this.#frame(placeInNest(path))?.steps.find((step) => step.path === path)
  }

  #frame(place: PlaceInNest | null): Frame | undefined {
    if (place === null) return this.#run.root
    const key = `${place.header}[${place.index ?? ''}`
    const known = this.#frames.get(key)
    if (known !== undefined) return known
    const header = this.step(place.header)
    const frame = header === undefined ? undefined : this.#inside(header, place.index)
    if (frame !== undefined) this.#frames.set(key, frame)
    return frame
  }

  #inside(header: Placed<CompiledStep>, index: number | null): Frame | undefined {
    const { steps, row } = this.#run
    if (header.kind === 'blueprint') return index === null ? beginCall(header, row.created_at, steps).frame : undefined
    if (header.kind !== 'foreach' || index === null) return undefined
    const loop = this.#loop(header)
    return index < loop.items.length ? iterationOf(steps, loop, index) : undefined
  }

  readonly #loops = new Map<string, ReturnType<typeof beginLoop>>()

  #loop(header: Parameters<typeof beginLoop>[0]): ReturnType<typeof beginLoop> {
    const loop = this.#loops.get(header.path) ?? beginLoop(header, this.#run.row.created_at)
    this.#loops.set(header.path, loop)
    return loop
  }
}
