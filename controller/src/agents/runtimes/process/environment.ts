/** What of the controller's own environment an agent's program may have, handed in by the configuration. */
export interface InheritedEnvironment {
  readonly PATH: string
  readonly LANG?: string
  readonly TZ?: string
  readonly TMPDIR?: string
}

/** Who an instance is, and how it reaches us. */
export interface InstanceIdentity {
  readonly url: string
  readonly token: string
  readonly agent: string
  readonly namespace: string
  readonly instanceId: string
}

export interface InstanceEnvironment extends InstanceIdentity {
  readonly inherited: InheritedEnvironment
  /** The folder of the Node this controller runs on: first on PATH, so that `node` in a command means it. */
  readonly nodeFolder: string
  /** Where it may write; also HOME, so that nothing in the user's home configures it. */
  readonly workspace: string
  /** Read-only copy of `workdir`. */
  readonly files: string | null
  /** The folder its project's agents on this host share. */
  readonly shared: string | null
  /** Where bulk work finds the database; null = it has to ask the API. */
  readonly databaseUrl: string | null
  /** `env` of the agent with secrets resolved. */
  readonly declared: Readonly<Record<string, string>>
}

/** The whole environment of an agent's program: an allow-list, nothing else leaks in. Declared values win, except over STATEWARD_*. */
export function environmentOf(from: InstanceEnvironment): Record<string, string> {
  const { PATH, LANG, TZ, TMPDIR } = from.inherited
  return {
    PATH: PATH === '' ? from.nodeFolder : `${from.nodeFolder}:${PATH}`,
    HOME: from.workspace,
    ...(LANG === undefined ? {} : { LANG }),
    ...(TZ === undefined ? {} : { TZ }),
    ...(TMPDIR === undefined ? {} : { TMPDIR }),
    ...instanceVariables(from),
    ...(from.databaseUrl === null ? {} : { STATEWARD_DATABASE_URL: from.databaseUrl }),
    ...(from.files === null ? {} : { STATEWARD_FILES: from.files }),
    ...(from.shared === null ? {} : { STATEWARD_SHARED: from.shared }),
  }
}

/** What is the same wherever it runs. */
export function instanceVariables(
  from: InstanceIdentity & Pick<InstanceEnvironment, 'workspace' | 'declared'>,
): Record<string, string> {
  return {
    ...gitEnvironment(from),
    ...from.declared,
    STATEWARD_URL: from.url,
    STATEWARD_TOKEN: from.token,
    STATEWARD_AGENT: from.agent,
    STATEWARD_NAMESPACE: from.namespace,
    STATEWARD_INSTANCE: from.instanceId,
    STATEWARD_WORKSPACE: from.workspace,
    STATEWARD_GIT_URL: gitUrl(from),
  }
}

function gitUrl({ url }: InstanceIdentity): string {
  return `${url}/git/state.git`
}

/** Git finds its credential for the state repo, and whose commits it makes, without a file that holds the token. */
function gitEnvironment(from: InstanceIdentity): Record<string, string> {
  const settings = [
    [`http.${gitUrl(from)}.extraHeader`, `Authorization: Bearer ${from.token}`],
    ['user.name', `agent:${from.namespace}/${from.agent}`],
    // Commits of this address name a principal; the endpoint takes those of the one who pushes.
    ['user.email', 'controller@stateward.dev'],
  ] as const
  return {
    GIT_CONFIG_COUNT: String(settings.length),
    ...Object.fromEntries(
      settings.flatMap(([key, value], i) => [
        [`GIT_CONFIG_KEY_${i}`, key],
        [`GIT_CONFIG_VALUE_${i}`, value],
      ]),
    ),
  }
}
