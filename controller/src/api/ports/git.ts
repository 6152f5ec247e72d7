import type { Readable } from 'node:stream'
import type { Principal } from '../auth/principal.ts'
import type { Caller } from '../caller.ts'

/** The state repo for other gits. Every call throws SW_NO_LEADER where another process leads, SW_GIT_BINARY_REQUIRED. */
export interface GitServer {
  advertise(service: 'git-upload-pack' | 'git-receive-pack', protocol: string | null): Readable
  fetch(input: Readable, protocol: string | null): Readable
  /**
   * Resolves with git's answer when everything is done. What somebody may not push, and a file with a secret in plain sight, is
   * refused with lines that git shows; SW_GIT_FAILED when it is no push, or too large.
   */
  push(input: Readable, protocol: string | null, principal: Principal, caller: Caller): Promise<Buffer>
}
