import { readFile } from 'node:fs/promises'
import { Option } from 'commander'
import { planRepository } from '../build/plan-repository.ts'
import { renderMarkdown } from '../plan/render/markdown.ts'
import { renderTerminal } from '../plan/render/terminal.ts'
import { renderApprovals } from './print/approval-documents.ts'
import { planJson } from './print/plan-json.ts'
import type { Verb } from './verb.ts'

export const verb: Verb = {
  description:
    'Shows what a change would do, how risky that is and who has to agree to it, from a clone alone: the tree of --from is taken for applied, corrected by what the status branch observed. Its policies, sync windows, CODEOWNERS and people are asked as the controller asks them; what was said over the API is not known here.\n\nOnly what differs is looked at, what depends on that and what that names; --all looks at everything. Documents (-o approvals) are for whatever waits: without --from they look at everything, too.\n\nExit code: 0 when the plan could be made, 1 on an error (with --strict also for blocked objects), 2 for changes with --exit-code.',
  examples: [
    ['stateward plan', 'HEAD against its merge base with origin/main'],
    ['stateward plan --repo work --from HEAD~1', 'the last commit of a clone'],
    ['stateward plan --to my-branch -o markdown', 'what a pull request shows'],
    [
      'stateward plan -o approvals > approvals/fix.yaml',
      'documents that approve what waits, to be committed and signed',
    ],
    ['stateward plan --exit-code && echo nothing to do', 'for scripts'],
  ],
  settings: ['repo', 'path', 'deletionLimit.percent', 'deletionLimit.count'],
  define: (command) =>
    void command
      .option('--from <revision>', 'what counts as applied (default: the merge base of --to with origin/main)')
      .option('--to <revision>', 'what is wanted', 'HEAD')
      .addOption(
        new Option('-o, --output <format>', 'how to print')
          .choices(['table', 'json', 'markdown', 'approvals'])
          .default('table'),
      )
      .option('--all', 'check also what the change does not touch, and tell what is wrong with it')
      .option('--exit-code', 'exit with 2 when there are changes')
      .option('--strict', 'exit with 1 when objects are blocked'),
  async run({ options, terminal, config }) {
    const { repo, path, deletionLimit, approvals, verify } = config().config
    const from = typeof options['from'] === 'string' ? options['from'] : null
    const { plan, observed } = await planRepository({
      repo: repo ?? terminal.cwd,
      path,
      from,
      to: String(options['to']),
      deletionLimit,
      everything: options['all'] === true || (options['output'] === 'approvals' && from === null),
      merges: approvals.merges,
      allowedSigners: verify.allowedSigners === null ? '' : await readFile(verify.allowedSigners, 'utf8'),
    })
    if (options['output'] === 'json') await terminal.out(planJson(plan, observed))
    else if (options['output'] === 'markdown') await terminal.out(renderMarkdown(plan, observed))
    else if (options['output'] === 'approvals') await terminal.out(renderApprovals(plan.changes))
    else {
      const between = `${plan.fromRevision?.slice(0, 12)} → ${plan.toRevision.slice(0, 12)}, observed: ${observed?.slice(0, 12) ?? 'none'}`
      await terminal.out(`${terminal.colors.dim(between)}\n${renderTerminal(plan, terminal.colors)}`)
    }
    if (options['strict'] === true && plan.counts.blocked > 0) return 1
    return options['exitCode'] === true && plan.changes.length > 0 ? 2 : 0
  },
}
