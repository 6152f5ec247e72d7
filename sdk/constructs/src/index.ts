export * from './kinds.ts'
export { manifests } from './manifests.ts'
export type { ClusterMetadata, NamespacedMetadata } from './metadata.ts'
