import { describe, expect, test } from 'vitest'
import { agent, desiredState, type Files, manifest } from '../../test/support/state-files.ts'
import { effectiveSpec } from './effective-spec.ts'

function effective(key: string, files: Files, oids: Readonly<Record<string, string>> = {}) {
  const desired = desiredState(files)
  const get = (wanted: string) => desired.get(wanted)?.resource ?? null
  return { own: get(key)!, ...effectiveSpec(get(key)!, { get, fileOid: (path) => oids[path] ?? null }) }
}

const TEMPLATE = manifest('AgentTemplate', 'engineer', {
  restartPolicy: 'Never',
  runtime: { process: { mode: 'perTask', env: [{ name: 'A', value: '1' }] } },
})
const environment = (patch: object, name?: string) =>
  manifest('Environment', 'default', {
    overrides: [{ target: { kind: 'Agent', ...(name === undefined ? {} : { name }) }, patch }],
  })

describe('effectiveSpec', () => {
  test('of an object that inherits nothing is its own, and so is the digest', () => {
    const { own, spec, digest, from, missingFiles } = effective('Agent/default/a', { 'a.yaml': agent('a') })
    expect({ spec, digest, from, missingFiles }).toEqual({
      spec: own.spec,
      digest: own.specDigest,
      from: [],
      missingFiles: [],
    })
  })

  test('merges template, object and environment in this order', () => {
    const files = {
      't.yaml': TEMPLATE,
      'a.yaml': agent('a', { templateRef: { name: 'engineer' }, restartPolicy: 'Always', replicas: 1 }),
      'e.yaml': environment({ replicas: 3 }, 'a'),
    }
    const { own, spec, digest, from } = effective('Agent/default/a', files)
    expect(spec).toMatchObject({
      restartPolicy: 'Always',
      replicas: 3,
      runtime: { process: { command: ['node', 'agent.js'], mode: 'perTask', env: [{ name: 'A', value: '1' }] } },
    })
    expect(from).toEqual(['AgentTemplate/default/engineer', 'Environment/default'])
    expect(digest).not.toBe(own.specDigest)
  })

  test('an override reaches every object of its kind, or the named one, and null takes a field away', () => {
    const a = { 'a.yaml': agent('a', { replicas: 2 }) }
    expect(effective('Agent/default/a', { ...a, 'e.yaml': environment({ replicas: null }) }).spec).not.toHaveProperty(
      'replicas',
    )
    expect(effective('Agent/default/a', { ...a, 'e.yaml': environment({ replicas: 9 }, 'b') }).from).toEqual([])
  })

  test('the environment of another namespace and a template of another namespace do not take part', () => {
    const files = {
      't.yaml': TEMPLATE,
      'e.yaml': environment({ replicas: 9 }),
      'a.yaml': agent('a', { templateRef: { name: 'engineer' } }, { namespace: 'prod' }),
    }
    expect(effective('Agent/prod/a', files).from).toEqual([])
  })

  test('files belong to the digest by their oid, and a missing one is told', () => {
    const files = { 'a.yaml': agent('a', { runtime: { process: { command: ['node'], workdir: 'agents/a' } } }) }
    const [one, other, missing] = [{ 'agents/a': '1' }, { 'agents/a': '2' }, {}].map((oids) =>
      effective('Agent/default/a', files, oids),
    )
    expect(new Set([one!.digest, other!.digest, missing!.digest, one!.own.specDigest]).size).toBe(4)
    expect(one!.missingFiles).toEqual([])
    expect(missing!.missingFiles).toEqual([{ path: 'agents/a', pointer: '/spec/runtime/process/workdir' }])
  })

  test('changes no document', () => {
    const files = {
      't.yaml': TEMPLATE,
      'a.yaml': agent('a', { templateRef: { name: 'engineer' } }),
      'e.yaml': environment({ runtime: { process: { mode: 'daemon' } } }),
    }
    const before = effective('Agent/default/a', files)
    expect(JSON.stringify(before.own.spec)).toBe(
      JSON.stringify(effective('Agent/default/a', { 'a.yaml': files['a.yaml'] }).own.spec),
    )
  })
})
