import { load } from 'js-yaml'
import { describe, expect, it } from 'vitest'
import { withContext } from './with-context.ts'

const CONTEXT = {
  name: 'stateward',
  server: 'https://127.0.0.1:8090/kube',
  authority: 'pem\n',
  user: { username: 'ada', password: 'secret' },
  namespace: 'default',
}

const OTHER = `# mine
apiVersion: v1
kind: Config
current-context: work
clusters:
  - name: work # the big one
    cluster: { server: https://work }
contexts:
  - { name: work, context: { cluster: work, user: me } }
users:
  - { name: me, user: { token: t } }
`

describe('a kubeconfig', () => {
  it('begins with its first context, which is the current one', () => {
    expect(load(withContext(null, CONTEXT))).toEqual({
      apiVersion: 'v1',
      kind: 'Config',
      preferences: {},
      clusters: [{ name: 'stateward', cluster: { server: CONTEXT.server, 'certificate-authority-data': 'cGVtCg==' } }],
      users: [{ name: 'stateward', user: { username: 'ada', password: 'secret' } }],
      contexts: [{ name: 'stateward', context: { cluster: 'stateward', user: 'stateward', namespace: 'default' } }],
      'current-context': 'stateward',
    })
  })

  it('keeps everything else, comments too, and the current context', () => {
    const made = withContext(OTHER, CONTEXT)
    expect(made).toContain('# mine')
    expect(made).toContain('# the big one')
    const read = load(made) as { clusters: { name: string }[]; 'current-context': string }
    expect(read.clusters.map(({ name }) => name)).toEqual(['work', 'stateward'])
    expect(read['current-context']).toBe('work')
  })

  it('has the context once, as it was written last', () => {
    const twice = withContext(withContext(OTHER, CONTEXT), { ...CONTEXT, authority: null, user: { token: 'new' } })
    const read = load(twice) as { clusters: { cluster: object }[]; users: object[] }
    expect(read.clusters).toHaveLength(2)
    expect(read.clusters[1]!.cluster).toEqual({ server: CONTEXT.server })
    expect(read.users[1]).toEqual({ name: 'stateward', user: { token: 'new' } })
    expect(withContext(twice, { ...CONTEXT, authority: null, user: { token: 'new' } })).toBe(twice)
  })

  it('is refused when it is something else', () => {
    for (const text of ['- 1', 'a: b', 'kind: Pod', '{'])
      expect(() => withContext(text, CONTEXT)).toThrow(expect.objectContaining({ ref: 'SW_CONFIG_INVALID' }))
  })
})
