import { isObject, valueAt } from '../../lib/json.ts'
import { COMMON_REASONS, conditionTable } from '../condition-tables.ts'
import { defineKind } from '../definition.ts'
import { column, columns, wide } from '../status-parts.ts'
import { secretStoreSpec, secretStoreStatus } from './secret-store.schema.ts'

export const secretStore = defineKind({
  kind: 'SecretStore',
  plural: 'secretstores',
  singular: 'secretstore',
  shortNames: ['ss'],
  scope: 'Cluster',
  description:
    'A place secrets are read from. A secret is looked for in the environment, then in the data folder, then in each store whose paths fit, in the order of their names. What is read is handed to what names it, and is stored nowhere.',
  spec: secretStoreSpec,
  status: secretStoreStatus,
  columns: columns([
    { ...column('Secrets', '.status.secrets', 'How many secrets it holds.'), type: 'integer' },
    wide('File', '.spec.sops.path', 'The file of the state repo.'),
    wide('Namespace', '.spec.kubernetes.namespace', 'Namespace in the cluster.'),
  ]),
  conditions: conditionTable(),
  reasons: [...COMMON_REASONS, 'SecretMissing', 'Failed'],
  files: (spec) => {
    const path = valueAt(spec, '/sops/path')
    return typeof path === 'string' ? [{ type: 'blob', path, pointer: '/spec/sops/path' }] : []
  },
  check: (spec) => {
    const sops = spec['sops']
    if (!isObject(sops) || typeof sops['path'] !== 'string' || /\.(ya?ml|json)$/i.test(sops['path'])) return []
    return [
      {
        code: 'SW_BAD_VALUE',
        pointer: '/spec/sops/path',
        message: 'the file is neither YAML nor JSON',
        hint: 'name a file that ends with .yaml, .yml or .json',
      },
    ]
  },
  example: `apiVersion: stateward.dev/v1alpha1
kind: SecretStore
metadata:
  name: repo
spec:
  sops:
    path: secrets/prod.enc.yaml
    keyRef: {name: age, key: identity}
  paths: ["github/*", "sys/prod/*"]
`,
})
