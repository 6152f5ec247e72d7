import { matchesGlob } from 'node:path'
import type { PROPOSAL_ISSUE_CODES } from '../lib/issue-catalogue.ts'
import type { ProposalProblem } from '../store/queries/proposals.ts'
import type { WorkspaceLimits } from './ports.ts'

/** What a change does that its agent may not. Pure. */
export function beyondLimits(files: readonly string[], limits: WorkspaceLimits): ProposalProblem[] {
  const { allowedPaths, maxChangedFiles } = limits
  const problems: ProposalProblem[] = []
  if (allowedPaths !== null) {
    for (const file of files) {
      if (allowedPaths.some((glob) => matchesGlob(file, glob))) continue
      const hint = `it may change ${allowedPaths.length === 0 ? 'nothing' : allowedPaths.join(', ')} (spec.workspace.allowedPaths)`
      problems.push(problem('SW_PATH_NOT_ALLOWED', 'the agent may not change this file', hint, file))
    }
  }
  if (maxChangedFiles !== null && files.length > maxChangedFiles) {
    const message = `${files.length} files are changed, more than ${maxChangedFiles}`
    problems.push(problem('SW_TOO_MANY_FILES', message, 'propose it in parts (spec.workspace.maxChangedFiles)', null))
  }
  return problems
}

function problem(
  code: keyof typeof PROPOSAL_ISSUE_CODES,
  message: string,
  hint: string,
  file: string | null,
): ProposalProblem {
  return { code, message, hint, file, line: null, column: null }
}
