import type { Chart } from 'cdk8s'
import { ApiObject } from 'cdk8s'
import type {
  IClusterRole,
  IClusterRoleBinding,
  IRole,
  IRoleBinding,
} from 'kubernetes-models/rbac.authorization.k8s.io/v1'
import type { IServiceAccount } from 'kubernetes-models/v1'
import { HELD_KINDS } from '../../controller/src/kinds/cluster-origin.ts'
import { GROUP } from '../../controller/src/kinds/definition.ts'
import { KINDS } from '../../controller/src/kinds/registry.ts'
import { AGENT, type Installation, labelsOf, NAME, nameOf } from '../installation.ts'

/**
 * Who may do what. The controller reads its own kinds in every namespace, since each namespace is an environment, and writes
 * their status; pods are its business in the agents' namespace alone, and Secrets it can only make there, never read. Workers
 * and agents have accounts without any right, and no token of the API server.
 */
export function addAccess(chart: Chart, installation: Installation): void {
  addAccounts(chart, installation)
  if (installation.clusterSource !== 'none') addKindsRole(chart, installation)
  addAgentsRole(chart, installation)
}

function addAccounts(chart: Chart, { namespace, agentsNamespace }: Installation): void {
  const accounts = [
    { name: nameOf('controller'), namespace, automountServiceAccountToken: true },
    { name: nameOf('worker'), namespace, automountServiceAccountToken: false },
    { name: AGENT, namespace: agentsNamespace, automountServiceAccountToken: false },
  ]
  for (const { name, namespace, automountServiceAccountToken } of accounts) {
    new ApiObject(chart, `account-${name}`, {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name, namespace, labels: labelsOf() },
      automountServiceAccountToken,
    } satisfies IServiceAccount)
  }
}

function addKindsRole(chart: Chart, { namespace }: Installation): void {
  const plurals = KINDS.map(({ plural }) => plural)
  const held = KINDS.filter(({ kind }) => HELD_KINDS.includes(kind)).map(({ plural }) => plural)
  new ApiObject(chart, 'kinds-role', {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: NAME, labels: labelsOf() },
    rules: [
      { apiGroups: [GROUP], resources: plurals, verbs: ['list', 'watch'] },
      // For the finalizer.
      { apiGroups: [GROUP], resources: held, verbs: ['patch'] },
      { apiGroups: [GROUP], resources: plurals.map((plural) => `${plural}/status`), verbs: ['patch'] },
      { apiGroups: ['events.k8s.io'], resources: ['events'], verbs: ['create', 'patch'] },
    ],
  } satisfies IClusterRole)
  new ApiObject(chart, 'kinds-binding', {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: NAME, labels: labelsOf() },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: NAME },
    subjects: [{ kind: 'ServiceAccount', name: nameOf('controller'), namespace }],
  } satisfies IClusterRoleBinding)
}

function addAgentsRole(chart: Chart, { namespace, agentsNamespace }: Installation): void {
  const metadata = { name: NAME, namespace: agentsNamespace, labels: labelsOf() }
  new ApiObject(chart, 'agents-role', {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata,
    rules: [
      { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch', 'create', 'delete'] },
      { apiGroups: [''], resources: ['pods/log'], verbs: ['get'] },
      // A Secret belongs to its pod and goes with it.
      { apiGroups: [''], resources: ['secrets'], verbs: ['create'] },
    ],
  } satisfies IRole)
  new ApiObject(chart, 'agents-binding', {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata,
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: NAME },
    subjects: [{ kind: 'ServiceAccount', name: nameOf('controller'), namespace }],
  } satisfies IRoleBinding)
}
