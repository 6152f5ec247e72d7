/** Who is asking, as far as a request shows it. */
export type Principal =
  | { readonly type: 'anonymous'; readonly name: 'anonymous' }
  /** Holds the admin credential; the name is the person at the local CLI: `user:<OS user>`. */
  | { readonly type: 'admin'; readonly name: string }
  | AgentPrincipal

/** A running instance of an agent; the name is `agent:<namespace>/<agent>`. */
export interface AgentPrincipal {
  readonly type: 'agent'
  readonly name: string
  readonly instanceId: string
  readonly agentUid: string
  readonly namespace: string
  readonly agent: string
}

/**
 * What a route asks for.
 * `public`: nobody has to be anybody. `read`: anonymous too in mode `none`. `write`: the admin credential.
 * `agent`: the token of a running instance, and nothing else.
 */
export type Access = 'public' | 'read' | 'write' | 'agent'

/** `none`: whoever reaches the loopback listener may read. `token`: every request but the public ones needs a credential. */
export type AuthMode = 'none' | 'token'
