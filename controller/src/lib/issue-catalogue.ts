/**
 * Every code an {@link Issue} may carry, with what it means. docs/errors.md lists exactly these beside the raised errors.
 * A retired code is never used again.
 */
export const ISSUE_CODES = {
  SW_FILE_TOO_LARGE: 'the file is larger than the limit',
  SW_FILE_BINARY: 'the file holds NUL bytes',
  SW_FILE_ENCODING: 'the file is not UTF-8',
  SW_SYMLINK: 'a symbolic link is never followed',
  SW_SUBMODULE: 'a submodule is never read',
  SW_TOO_MANY_DOCUMENTS: 'the file holds more documents than the limit',
  SW_FOREIGN_UNREADABLE: 'YAML of something else that cannot be read',
  SW_YAML_SYNTAX: 'the YAML cannot be read',
  SW_DUPLICATE_KEY: 'a key stands twice in one map',
  SW_YAML_ALIASES: 'more aliases than the limit, or an alias without its anchor',
  SW_YAML_TAG: 'a YAML tag that is not JSON',
  SW_DOCUMENT_TOO_LARGE: 'the document expands to more values than the limit',
  SW_UNSAFE_NUMBER: 'a number that JSON or a double cannot hold',
  SW_UNSAFE_TEXT: 'a text with U+0000 or half a surrogate pair, which JSON and the database cannot hold',
  SW_UNKNOWN_VERSION: 'the apiVersion is of our group, but of no version this program knows',
  SW_UNKNOWN_KIND: 'the kind is of our group, but unknown',
  SW_SERVER_FIELD: 'a field that only the controller sets; it was ignored',
  SW_UNKNOWN_FIELD: 'a field the kind does not have',
  SW_WRONG_TYPE: 'a value of another type than the field has',
  SW_MISSING_FIELD: 'a required field is missing',
  SW_BAD_VALUE: 'a value outside of what the field allows',
  SW_DUPLICATE_OBJECT: 'two documents declare the same object',
  SW_SOURCE_CONFLICT:
    'a file of the state repo and a custom resource of the cluster declare the same object; neither is applied',
  SW_COMMIT_UNSIGNED: 'a commit without a good signature of somebody who may sign; nothing of it is applied',
  SW_APPROVAL_REQUIRED: 'a change that somebody has to agree to first; the object keeps its last good revision',
  SW_OUTSIDE_WINDOW:
    'a change that waits for a time at which it may be applied; the object keeps its last good revision',
  SW_POLICY_DENIED: 'a change that a policy denies; the object keeps its last good revision',
  SW_REFERENCE_NOT_FOUND: 'an object that is named does not exist',
  SW_REFERENCE_BROKEN: 'an object that is named is itself broken and has no good revision',
  SW_DEPENDENCY_CYCLE: 'objects depend on each other in a circle',
  SW_FILE_NOT_FOUND: 'a file or directory that is named is not in the state repo',
  SW_EXPRESSION_SYNTAX: 'a text that is no CEL expression',
  SW_EXPRESSION_TYPE: 'an expression that uses values of the wrong types',
  SW_UNKNOWN_NAME: 'a variable, input, step, field or tool that does not exist',
  SW_TEMPLATE: 'a {{ }} that is not closed, is empty, or stands where none is allowed',
  SW_SHELL_TEMPLATE: 'a {{ }} in a shell command at a place where its value could be read as shell text',
  SW_TOO_MANY_STEPS: 'a plan with more steps than limits.maxSteps, those of loops and called blueprints included',
  SW_STEP_CYCLE: 'steps of a plan wait for each other in a circle',
  SW_V0_ID: 'a v0 blueprint without a usable id',
  SW_V0_EVENT_TYPE: 'a v0 blueprint without trigger.event_type',
  SW_V0_PLAN: 'a v0 blueprint without steps',
  SW_V0_STEP_KIND: 'a v0 step of an unknown kind',
  SW_V0_STEP_ID: 'a v0 step without an id',
  SW_V0_DUPLICATE_STEP: 'two v0 steps with the same id',
  SW_V0_GATE_MODE: 'a v0 gate without a mode',
  SW_V0_AGENT_TASK: 'a v0 agent_task that lacks its agent or provider, model, or prompt',
  SW_V0_ACTION_TASK: 'a v0 action_task that lacks action or with',
  SW_PLAINTEXT_SECRET: 'a secret stands in the file in plain sight: a token, a private key, a password in a URL',
  SW_ALLOWED_SECRET: 'what looks like a secret, and is let through because the file says that it is none',
} as const

/** The same of the checks of a proposal, beside those of its documents. */
export const PROPOSAL_ISSUE_CODES = {
  SW_MERGE_CONFLICT: 'a file of a proposal was changed on the protected branch, too',
  SW_PATH_NOT_ALLOWED: 'an agent proposes to change a file it may not change',
  SW_TOO_MANY_FILES: 'an agent proposes to change more files than it may',
} as const

export type ParseIssueCode = keyof typeof ISSUE_CODES
