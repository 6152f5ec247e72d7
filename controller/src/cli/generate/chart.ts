import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { dump, load } from 'js-yaml'
import { HELD_KINDS } from '../../kinds/cluster-origin.ts'
import { GROUP, type KindDefinition } from '../../kinds/definition.ts'
import { valueAt } from '../../lib/json.ts'
import { packageRoot } from '../../lib/package-root.ts'
import type { Artefact } from './artefact.ts'
import { customResourceDefinition } from './custom-resource-definition.ts'
import { GENERATED_NOTE, table } from './markdown.ts'

const CHART = 'charts/stateward'

/** What the chart takes from the kinds, and its README, which is made of the comments in values.yaml. */
export function chartArtefacts(kinds: readonly KindDefinition[]): Artefact[] {
  const plurals = kinds.map(({ plural }) => plural)
  const held = kinds.filter(({ kind }) => HELD_KINDS.includes(kind)).map(({ plural }) => plural)
  return [
    ...kinds.map((definition) => ({
      path: `${CHART}/files/crds/${definition.plural}.yaml`,
      render: async () => keptDefinition(definition),
    })),
    { path: `${CHART}/files/plurals.yaml`, render: async () => dump(plurals).trimEnd() },
    { path: `${CHART}/files/held.yaml`, render: async () => dump(held).trimEnd() },
    { path: `${CHART}/files/statuses.yaml`, render: async () => dump(plurals.map((one) => `${one}/status`)).trimEnd() },
    {
      path: `${CHART}/README.md`,
      render: async () => readme(await readFile(join(packageRoot(), CHART, 'values.yaml'), 'utf8')),
    },
  ]
}

/** Removing the release must not remove everything that was ever declared. */
function keptDefinition(definition: KindDefinition): string {
  const crd = customResourceDefinition(definition)
  const metadata = { name: `${definition.plural}.${GROUP}`, annotations: { 'helm.sh/resource-policy': 'keep' } }
  return dump({ ...crd, metadata }, { noRefs: true, lineWidth: -1 })
}

interface Value {
  readonly path: string
  readonly description: string
}

/** Every line `# -- …` of values.yaml belongs to the key on the next line. Throws for a key without one. */
export function describedValues(text: string): Value[] {
  const values: Value[] = []
  const parents: { readonly indent: number; readonly key: string }[] = []
  let description: string | null = null
  let inside: number | null = null
  for (const line of text.split('\n')) {
    const comment = /^\s*# -- (.*)$/.exec(line)
    if (comment !== null) description = comment[1]!
    const entry = /^( *)([A-Za-z]+):/.exec(line)
    if (entry === null) continue
    const indent = entry[1]!.length
    // What a described value holds by default is no value of its own.
    if (inside !== null && indent > inside) continue
    inside = null
    while (parents.length > 0 && parents.at(-1)!.indent >= indent) parents.pop()
    const path = [...parents.map(({ key }) => key), entry[2]!].join('.')
    if (description !== null) {
      values.push({ path, description })
      description = null
      inside = indent
    } else if (line.trimEnd().endsWith(':')) parents.push({ indent, key: entry[2]! })
    else throw new Error(`values.yaml does not say what ${path} is`)
  }
  return values
}

function readme(text: string): string {
  const defaults = load(text)
  const rows = describedValues(text).map(({ path, description }) => [
    `\`${path}\``,
    `\`${JSON.stringify(valueAt(defaults, `/${path.replaceAll('.', '/')}`))}\``,
    description,
  ])
  return `${GENERATED_NOTE}

# Stateward's Helm chart

\`\`\`
kubectl create namespace stateward
kubectl -n stateward create secret generic stateward-database --from-literal=url=postgres://…
helm install stateward charts/stateward --namespace stateward --set image.repository=registry.example.org/stateward
\`\`\`

It installs the controller, the workers with an autoscaler, the CustomResourceDefinitions, the namespace in which agents run as pods, and what guards
all of them: accounts with as few rights as they need, network policies, disruption budgets. It has no hooks. [manifests/rendered](../../manifests/rendered)
has the same without Helm; [the guide](../../docs/guide/cluster.md) tells how to use both.

## Values

${table(['value', 'default', 'what it is'], rows)}
`
}
