import { App, Chart } from 'cdk8s'

/**
 * Renders what `declare` makes as one file of manifests, the same text for the same objects, in the order in which they were
 * made. Commit it: what Stateward applies is what was reviewed, not what a program would render today.
 */
export function manifests(declare: (chart: Chart) => void): string {
  const app = new App()
  // Names are said in full, and no label is added: an object is what its author wrote.
  declare(new Chart(app, 'manifests', { disableResourceNameHashes: true }))
  return `# Rendered from TypeScript; change the program and render it again.\n${app.synthYaml()}`
}
