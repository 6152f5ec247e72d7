import { FakeCluster } from './fake-kubelet.ts'
import { GIVEN } from './given-cluster.ts'
import { openGivenNode } from './given-node.ts'
import type { Asked } from './kube-api-server.ts'
import type { Stored } from './kube-store.ts'
import { refuse } from './refusal.ts'

type Soon<T> = T | Promise<T>

/** A cluster whose pods move through their phases and run nothing: what a program would do, the test does. */
export interface PodCluster {
  /** Where the pods are. */
  readonly namespace: string
  /** Pods need it to get onto the node of the test. */
  readonly nodeSelector: Readonly<Record<string, string>>
  kubeconfig(): string
  /** What was asked of the API server by the kubeconfig. */
  readonly asked: readonly Asked[]
  pods(): Soon<readonly Stored[]>
  secrets(): Soon<readonly Stored[]>
  /** What the program of a pod finds in its environment, as its kubelet puts it together. */
  environment(pod: Stored): Soon<Record<string, string>>
  /** The program of a pod ends by itself. */
  exit(pod: Stored, exitCode: number): Soon<void>
  print(pod: Stored, ...lines: string[]): void
  /** The streams of logs break off. */
  cutLogs(): void
  /** Off: pods wait, as when no node has room. */
  setRoom(hasRoom: boolean): Soon<void>
  /** On: a program that is asked to end does not. */
  ignoreTerm(ignores: boolean): void
  /** Somebody deletes it, and it is gone at once. */
  remove(pod: Stored): Soon<void>
  /** Pods are refused from now on, or not any more. */
  refusePods(refuses: boolean): Soon<void>
  /** The API server is away, to whoever asks by the kubeconfig. */
  leave(): Promise<unknown>
  comeBack(): Promise<unknown>
  end(): Promise<void>
}

export interface PodPeer {
  readonly name: string
  open(): Promise<PodCluster>
}

/** The strict API server of the tests, and the cluster of KUBECONFIG where there is one. */
export const POD_PEERS: readonly PodPeer[] = [
  { name: 'the strict server of the tests', open: strictPods },
  ...(GIVEN === null ? [] : [{ name: 'the cluster of KUBECONFIG', open: () => openGivenNode(GIVEN!) }]),
]

async function strictPods(): Promise<PodCluster> {
  const namespace = 'robots'
  const cluster = await new FakeCluster().start()
  const { server } = cluster
  return {
    namespace,
    nodeSelector: {},
    kubeconfig: () => server.kubeconfig(),
    asked: server.asked,
    pods: () => cluster.pods(namespace),
    secrets: () => cluster.secrets(namespace),
    environment: (pod) => cluster.environment(pod),
    exit: (pod, exitCode) => cluster.exit(pod, exitCode),
    print: (pod, ...lines) => cluster.print(pod, ...lines),
    cutLogs: () => cluster.cutLogs(),
    setRoom: (hasRoom) => cluster.setRoom(hasRoom),
    ignoreTerm(ignores) {
      cluster.ignoresTerm = ignores
    },
    remove: (pod) => void server.store.delete(server.resource('pods'), pod),
    refusePods(refuses) {
      const quota = refuse(403, 'Forbidden', 'exceeded quota: robots')
      server.disturb = ({ method, path }) => (refuses && method === 'POST' && path.endsWith('/pods') ? quota : null)
    },
    leave: () => server.stop(),
    comeBack: () => server.start(),
    end: () => server.stop(),
  }
}
