import { describe, expect, test } from 'vitest'
import { PARSE_OPTIONS } from '../../../test/support/state-files.ts'
import { isFromCluster, partsOfRevision } from '../../kinds/cluster-origin.ts'
import type { KubeObject } from '../../kube-client/watch-lines.ts'
import { parseFile } from '../../parse/parse-file.ts'
import { clusterDocument } from './cluster-document.ts'

const resource = (more: Partial<KubeObject['metadata']> = {}, fields: object = {}): KubeObject => ({
  apiVersion: 'stateward.dev/v1alpha1',
  kind: 'Project',
  metadata: { name: 'p', namespace: 'default', uid: 'u1', resourceVersion: '7', generation: 3, ...more },
  spec: { lifecyclePhase: 'active' },
  ...fields,
})
const KEY = 'Project/default/p'

describe('a custom resource as a document', () => {
  test('is read as one from a repository is, without a warning about what servers set', () => {
    const { path, oid, bytes } = clusterDocument(KEY, resource({ labels: { team: 'a' } }, { status: { phase: 'x' } }))
    expect(path).toBe('cluster://projects/default/p.yaml')
    expect(isFromCluster(path)).toBe(true)
    const parsed = parseFile({ path, oid, bytes, size: bytes.byteLength, mode: '100644' }, PARSE_OPTIONS)
    expect(parsed.issues).toEqual([])
    expect(parsed.resources).toMatchObject([{ kind: 'Project', name: 'p', labels: { team: 'a' } }])
  })

  test.each([
    ['its status', {}, { status: { phase: 'other' } }],
    ['its version', { resourceVersion: '9' }, {}],
    ['its finalizers', { finalizers: ['a/b'] }, {}],
    ['what kubectl keeps on it', { annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}' } }, {}],
  ])('is the same whatever %s is', (_, metadata, fields) => {
    expect(clusterDocument(KEY, resource(metadata, fields)).oid).toBe(clusterDocument(KEY, resource()).oid)
  })

  test.each([
    ['identity', { uid: 'u2' }, {}],
    ['generation', { generation: 4 }, {}],
    ['labels', { labels: { a: 'b' } }, {}],
    ['annotations', { annotations: { 'stateward.dev/requestedAt': 'now' } }, {}],
    ['spec', {}, { spec: { lifecyclePhase: 'paused' } }],
  ])('is another with another %s', (_, metadata, fields) => {
    expect(clusterDocument(KEY, resource(metadata, fields)).oid).not.toBe(clusterDocument(KEY, resource()).oid)
  })
})

describe('a revision', () => {
  const [git, cluster] = ['a'.repeat(40), `cluster@${'b'.repeat(40)}`]
  test.each([
    [git, git, null],
    [`${git}+${cluster}`, git, cluster],
    [`dir@${'c'.repeat(64)}+${cluster}`, `dir@${'c'.repeat(64)}`, cluster],
    [cluster, null, cluster],
    ['main', 'main', null],
  ])('%s has its parts', (revision, inGit, inCluster) => {
    expect(partsOfRevision(revision)).toEqual({ git: inGit, cluster: inCluster })
  })
})
