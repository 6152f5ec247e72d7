import { CONDITION_TYPES } from '../../kinds/condition-tables.ts'
import { REASONS } from '../../kinds/conditions.ts'
import { API_VERSION, type KindDefinition } from '../../kinds/definition.ts'
import { schemaRecord } from '../../kinds/vocabulary.ts'
import type { Artefact } from './artefact.ts'
import { type FieldRow, fieldRows } from './field-rows.ts'
import { GENERATED_NOTE, table } from './markdown.ts'

const FOLDER = 'docs/reference/kinds'

/** The reference page of a kind: example, fields, columns, conditions, reasons. */
export function kindPage(definition: KindDefinition): string {
  const { kind, plural, singular, shortNames, scope, conditions } = definition
  return `${[
    GENERATED_NOTE,
    `# ${kind}`,
    definition.description,
    ...(definition.notYetEnforced
      ? ['**Not enforced yet.** It is accepted and stored; its `Ready` is `Unknown` with reason `NotYetEnforced`.']
      : []),
    table(
      ['apiVersion', 'kind', 'names', 'scope'],
      [
        [
          `\`${API_VERSION}\``,
          `\`${kind}\``,
          [plural, singular, ...shortNames].map((name) => `\`${name}\``).join(', '),
          scope === 'Cluster' ? 'cluster: no namespace' : 'a namespace',
        ],
      ],
    ),
    '## Example',
    `\`\`\`yaml\n${definition.example}\`\`\``,
    '## Fields',
    fieldTable(fieldRows(schemaRecord(definition.spec), 'spec')),
    ...ruleSection(definition),
    '## Status',
    statusTable(fieldRows(schemaRecord(definition.status), 'status')),
    ...volatileSection(definition),
    '## Columns',
    table(
      ['column', 'shown', 'from', 'meaning'],
      definition.columns.map((column) => [
        column.name.toUpperCase(),
        column.priority === 0 ? 'always' : '`-o wide`',
        `\`${column.jsonPath}\``,
        column.description,
      ]),
    ),
    '## Conditions',
    table(
      ['type', 'good when', 'meaning'],
      conditions.owned.map((type) => [
        `\`${type}\``,
        conditions.negative.includes(type) ? 'False or absent' : 'True',
        CONDITION_TYPES[type] ?? '',
      ]),
    ),
    `\`Ready\` is False as soon as one of these, in this order, is not good: ${conditions.readyFrom.map((type) => `\`${type}\``).join(', ')}.`,
    '## Reasons',
    table(
      ['reason', 'meaning'],
      definition.reasons.map((reason) => [`\`${reason}\``, REASONS[reason]]),
    ),
  ].join('\n\n')}\n`
}

function fieldTable(rows: readonly FieldRow[]): string {
  return table(
    ['field', 'type', 'default', 'limits', 'description'],
    rows.map((row) => [
      `\`${row.path}\`${row.required ? ' (required)' : ''}`,
      row.type,
      row.default === '' ? '' : `\`${row.default}\``,
      row.limits,
      row.description,
    ]),
  )
}

function statusTable(rows: readonly FieldRow[]): string {
  return table(
    ['field', 'type', 'description'],
    rows.map((row) => [`\`${row.path}\``, row.type, row.description]),
  )
}

function ruleSection({ celRules }: KindDefinition): string[] {
  if (celRules.length === 0) return []
  return [
    'Rules over the whole spec (CEL):',
    table(
      ['rule', 'otherwise'],
      celRules.map(({ rule, message }) => [`\`${rule}\``, message]),
    ),
  ]
}

function volatileSection({ volatile }: KindDefinition): string[] {
  if (volatile.length === 0) return []
  return [
    `Not written to the status branch, since they change by themselves: ${volatile.map((pointer) => `\`${pointer}\``).join(', ')}.`,
  ]
}

/** The page that lists the kinds and what they have in common. */
export function kindsIndex(kinds: readonly KindDefinition[]): string {
  const used = new Set(kinds.flatMap(({ conditions }) => conditions.owned))
  return `${[
    GENERATED_NOTE,
    '# Kinds',
    `What can be declared, all of \`${API_VERSION}\`. Unknown fields are refused. Defaults are filled after templates and environment overrides were merged, so a template can give any field an object leaves out.`,
    table(
      ['kind', 'short', 'scope', 'what it is'],
      kinds.map((definition) => [
        `[${definition.kind}](${definition.plural}.md)`,
        definition.shortNames.map((name) => `\`${name}\``).join(', '),
        definition.scope === 'Cluster' ? 'cluster' : 'namespace',
        definition.description,
      ]),
    ),
    '## Conditions',
    table(
      ['type', 'meaning'],
      Object.entries(CONDITION_TYPES)
        .filter(([type]) => used.has(type))
        .map(([type, meaning]) => [`\`${type}\``, meaning]),
    ),
    '## Reasons',
    'The closed list of reasons a condition may give.',
    table(
      ['reason', 'meaning'],
      Object.entries(REASONS).map(([reason, meaning]) => [`\`${reason}\``, meaning]),
    ),
  ].join('\n\n')}\n`
}

export function kindPageArtefacts(kinds: readonly KindDefinition[]): Artefact[] {
  return [
    { path: `${FOLDER}/README.md`, render: async () => kindsIndex(kinds) },
    ...kinds.map((definition) => ({
      path: `${FOLDER}/${definition.plural}.md`,
      render: async () => kindPage(definition),
    })),
  ]
}
