const PREFIX = 'kubernetes/'

/** The host that rows of pods name: a namespace of the cluster. No Host can have such a name. */
export function podHost(namespace: string): string {
  return `${PREFIX}${namespace}`
}

export function isPodHost(host: string): boolean {
  return host.startsWith(PREFIX)
}
