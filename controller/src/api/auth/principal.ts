import type { Verb } from './verbs.ts'

/** Who is asking, as far as a request shows it. Whatever the credential was, what counts is `verbs`. */
export type Principal = PlainPrincipal | AgentPrincipal | HostPrincipal

export interface PlainPrincipal {
  /**
   * `admin`: holds the admin credential of the data folder. `key`: holds an API key. `user`: a person or a program that an
   * identity provider vouches for.
   */
  readonly type: 'anonymous' | 'admin' | 'key' | 'user'
  /** `anonymous`; `user:<name>` of a person (of the admin credential: the OS user at the CLI); `key:<name>`. */
  readonly name: string
  readonly verbs: ReadonlySet<Verb>
  /** Names of roles, with those they include: approver sets and policies name them. */
  readonly roles?: readonly string[]
}

export interface AgentPrincipal extends AgentIdentity {
  readonly verbs: ReadonlySet<Verb>
}

/** A running instance of an agent; the name is `agent:<namespace>/<agent>`. */
export interface AgentIdentity {
  readonly type: 'agent'
  readonly name: string
  readonly instanceId: string
  readonly agentUid: string
  readonly namespace: string
  readonly agent: string
}

export interface HostPrincipal extends HostIdentity {
  readonly verbs: ReadonlySet<Verb>
}

/** A machine that joined; the name is `host:<host>`. */
export interface HostIdentity {
  readonly type: 'host'
  readonly name: string
  readonly host: string
}

/** What a route asks for: `public` = nobody has to be anybody; else the verb the principal must hold. */
export type Access = 'public' | Verb

/**
 * `none`: whoever reaches the loopback listener may read. `token`: every request but the public ones needs a credential.
 * `oidc`: the same, and tokens of the configured issuer are credentials too.
 */
export const AUTH_MODES = ['none', 'token', 'oidc'] as const
export type AuthMode = (typeof AUTH_MODES)[number]
