import { expect, test } from 'vitest'
import { kindOf } from '../../kinds/registry.ts'
import type { ObjectKey } from '../../kinds/resource.ts'
import type { KubeObject } from '../../kube-client/watch-lines.ts'
import { ClusterDocuments } from './cluster-documents.ts'

function aCluster() {
  const objects = new Map<ObjectKey, KubeObject>()
  const listeners = new Set<(key: ObjectKey | null, kind: string) => void>()
  const kind = kindOf('Project')!
  const documents = new ClusterDocuments({
    get: (key) => objects.get(key),
    *objects() {
      for (const [key, object] of objects) yield { key, kind, object }
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  })
  let news = 0
  documents.subscribe(() => news++)
  const tell = (key: ObjectKey | null) => {
    for (const listener of listeners) listener(key, 'Project')
  }
  return {
    documents,
    tell,
    put(name: string, metadata: Partial<KubeObject['metadata']> = {}, more: object = {}) {
      const key = `Project/default/${name}` as ObjectKey
      const own = { name, namespace: 'default', uid: name, resourceVersion: '1', generation: 1, ...metadata }
      objects.set(key, { metadata: own, spec: {}, ...more })
      tell(key)
    },
    take(name: string) {
      objects.delete(`Project/default/${name}` as ObjectKey)
      tell(`Project/default/${name}` as ObjectKey)
    },
    /** How often it told of news since it was asked last. */
    news() {
      const told = news
      news = 0
      return told
    },
  }
}

test('what is wanted is news; a status, a finalizer and a version are not', () => {
  const cluster = aCluster()
  cluster.put('a')
  cluster.put('b')
  const { tree, documents } = cluster.documents.current
  expect([...documents.keys()]).toEqual(['cluster://projects/default/a.yaml', 'cluster://projects/default/b.yaml'])
  cluster.news()
  cluster.put('a', { resourceVersion: '2', finalizers: ['x/y'] }, { status: { phase: 'Running' } })
  expect(cluster.news()).toBe(0)
  expect(cluster.documents.current.documents).toBe(documents)
  cluster.put('a', { generation: 2 })
  expect(cluster.news()).toBe(1)
  expect(cluster.documents.current.tree).not.toBe(tree)
  cluster.put('a')
  expect(cluster.documents.current.tree).toBe(tree)
})

test('one that goes, or is about to, is wanted no more, and that is told once', () => {
  const cluster = aCluster()
  cluster.put('a')
  cluster.put('b')
  expect(cluster.documents.current.documents.size).toBe(2)
  cluster.news()
  cluster.put('a', { deletionTimestamp: '2026-01-01T00:00:00Z' })
  expect(cluster.documents.current.documents.size).toBe(1)
  cluster.take('a')
  expect(cluster.news()).toBe(1)
  cluster.take('b')
  expect(cluster.documents.current.documents.size).toBe(0)
})

test('a list that was read anew is compared with what was known', () => {
  const cluster = aCluster()
  cluster.put('a')
  const { tree, documents } = cluster.documents.current
  cluster.tell(null)
  expect(cluster.news()).toBe(2)
  expect(cluster.documents.current.tree).toBe(tree)
  expect([...cluster.documents.current.documents.values()]).toEqual([...documents.values()])
  cluster.documents.close()
  cluster.put('b')
  expect(cluster.news()).toBe(0)
})
