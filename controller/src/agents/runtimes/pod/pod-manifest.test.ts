import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { aTarget } from '../../../../test/support/agent-target.ts'
import { ownedBy, podManifests } from './pod-manifest.ts'
import { podName } from './pod-request.ts'

const ID = '01900000-0000-7000-8000-abcdef012345'
const TOKEN = 'swa_0123456789'

const made = (more: object = {}, env: Parameters<typeof aTarget>[0] = {}) => {
  const target = aTarget(env)
  const declared = Object.fromEntries(
    (target.spec.runtime.process.env ?? []).map(({ name, value }) => [name, value ?? 'hunter2']),
  )
  const instance = { url: 'http://api', token: TOKEN, agent: 'sre', namespace: 'default', instanceId: ID }
  const runtime = { image: 'x:1', mode: 'daemon' as const, stdin: 'json' as const, ...more }
  return podManifests({ target, runtime, namespace: 'robots', instance, declared, files: null, task: null })
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

  it('of a task reads its input from the Secret and prints its result by itself; both containers are confined', () => {
    const target = aTarget()
    const instance = { url: 'http://api', token: TOKEN, agent: 'sre', namespace: 'default', instanceId: ID }
    const { pod, secret } = podManifests({
      ...{ target, namespace: 'robots', instance, declared: {} },
      runtime: { image: 'x:1', mode: 'perTask', stdin: 'json', command: ['fix', '$(HOME)'], runAsUser: 7 },
      files: { tree: 'a'.repeat(40), image: 'stateward:1' },
      task: { id: ID, input: 'secret words', seconds: 90 },
    })
    expect(secret.stringData!['task']).toBe('secret words')
    expect(JSON.stringify(pod)).not.toContain('secret words')
    const { initContainers, containers, volumes, activeDeadlineSeconds } = pod.spec!
    expect(activeDeadlineSeconds).toBe(90)
    expect(initContainers!.map(({ name }) => name)).toEqual(['files', 'agent'])
    expect(containers.map(({ name }) => name)).toEqual(['result'])
    const [files, agent] = initContainers!
    expect(agent!.command!.slice(0, 2)).toEqual(['sh', '-c'])
    expect(agent!.command!.slice(3)).toEqual(['sh', 'fix', '$$(HOME)'])
    expect(agent!.volumeMounts).toContainEqual({ name: 'files', mountPath: '/stateward/files', readOnly: true })
    expect(files!.env!.map(({ name }) => name)).not.toContain('STATEWARD_TOKEN')
    expect(volumes!.map(({ name }) => name)).toEqual(['workspace', 'tmp', 'files', 'task', 'result'])
    for (const container of [...initContainers!, ...containers])
      expect(container.securityContext).toMatchObject({ readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } })
    expect(pod.metadata!.annotations).toMatchObject({ 'stateward.dev/ttl-seconds-after-finished': '300' })
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
