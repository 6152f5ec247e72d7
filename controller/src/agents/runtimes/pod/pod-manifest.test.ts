import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { aTarget } from '../../../../test/support/agent-target.ts'
import { ownedBy, podManifests, podName } from './pod-manifest.ts'

const ID = '01900000-0000-7000-8000-abcdef012345'
const TOKEN = 'swa_0123456789'

const made = (more: object = {}, env: Parameters<typeof aTarget>[0] = {}) => {
  const target = aTarget(env)
  const declared = Object.fromEntries(
    (target.spec.runtime.process.env ?? []).map(({ name, value }) => [name, value ?? 'hunter2']),
  )
  const instance = { url: 'http://api', token: TOKEN, agent: 'sre', namespace: 'default', instanceId: ID }
  return podManifests({ target, runtime: { image: 'x:1', ...more }, namespace: 'robots', instance, declared })
}

describe('the pod of an instance', () => {
  it('has no root, no capabilities, no token of the cluster, and nowhere to write but its own folders', () => {
    const { spec } = made().pod
    expect(spec).toMatchObject({
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
          volumeMounts: [{ mountPath: '/workspace' }, { mountPath: '/tmp' }],
        },
      ],
    })
  })

  it('has what was declared of it', () => {
    const more = {
      command: ['sre', '--loud'],
      resources: { limits: { memory: '1Gi' } },
      serviceAccountName: 'robot',
      nodeSelector: { disk: 'ssd' },
      imagePullSecrets: ['registry'],
      runAsUser: 4711,
    }
    expect(made(more, { grace: 0 }).pod.spec).toMatchObject({
      serviceAccountName: 'robot',
      nodeSelector: { disk: 'ssd' },
      imagePullSecrets: [{ name: 'registry' }],
      terminationGracePeriodSeconds: 1,
      securityContext: { runAsUser: 4711 },
      containers: [{ command: ['sre', '--loud'], resources: { limits: { memory: '1Gi' } } }],
    })
  })

  it('never holds a secret in its spec, only in a Secret of its own', () => {
    const { pod, secret } = made(
      {},
      {
        env: [
          { name: 'KEY', secretRef: { name: 'keys', key: 'k' } },
          { name: 'A', value: 'b' },
        ],
      },
    )
    const text = JSON.stringify(pod)
    expect(text).not.toContain('hunter2')
    expect(text).not.toContain(TOKEN)
    expect(Object.keys(secret.stringData!).sort()).toEqual(['GIT_CONFIG_VALUE_0', 'KEY', 'STATEWARD_TOKEN'])
    expect(pod.spec!.containers[0]!.env).toContainEqual({ name: 'A', value: 'b' })
    expect(pod.spec!.containers[0]!.env).toContainEqual({
      name: 'KEY',
      valueFrom: { secretKeyRef: { name: pod.metadata!.name, key: 'KEY' } },
    })
    expect(ownedBy(secret, { name: 'p', uid: 'u' }).metadata?.ownerReferences).toEqual([
      { apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u' },
    ])
  })

  it('has a name that a host can have, for any agent, and the same one each time', () => {
    const name = fc.stringMatching(/^[a-z0-9]([a-z0-9.-]{0,100}[a-z0-9])?$/)
    fc.assert(
      fc.property(name, fc.uuid(), (agent, id) => {
        const made = podName(agent, id)
        expect(made).toMatch(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/)
        expect(made.length).toBeLessThanOrEqual(63)
        expect(podName(agent, id)).toBe(made)
      }),
    )
    expect(podName('sre', ID)).toBe('sre-abcdef012345')
  })
})
