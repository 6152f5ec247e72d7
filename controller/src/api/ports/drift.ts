import type { Caller } from '../caller.ts'

export interface DriftVerbs {
  /** Puts live state back to what Git says. SW_NOT_FOUND: nothing differs there any more. */
  enforce(id: string, why: { readonly reason: string | null }, caller: Caller): Promise<{ readonly id: string }>
  /** Proposes the live value as a change of Git. SW_NOT_FOUND; SW_CONFLICT where no proposal can be made of it. */
  adopt(
    id: string,
    why: { readonly reason: string | null },
    caller: Caller,
  ): Promise<{ readonly id: string; readonly branch: string | null; readonly commit: string }>
}
