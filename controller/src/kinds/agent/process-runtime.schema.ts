import { argv, choice, environmentVariables, PATH_PATTERN, text } from '../schema-parts.ts'

/** A program on a host. */
export const processFields = {
  command: argv(
    'The program and its arguments. A daemon runs as long as the agent does; a perTask command runs once for each task.',
  ),
  mode: choice(['daemon', 'perTask'], {
    description:
      'daemon: one long-lived process that registers and picks up tasks. perTask: one command a task, the task on stdin, the result on stdout.',
    default: 'daemon',
  }),
  env: environmentVariables(
    "Variables the process gets, beside those Stateward sets. Nothing else of the controller's environment reaches it.",
  ),
  workdir: text({
    description:
      "A directory of the state repo with the program's files. A daemon runs in a read-only copy of it; a task finds the copy at STATEWARD_FILES. A change below it restarts the agent.",
    minLength: 1,
    maxLength: 1024,
    pattern: PATH_PATTERN,
    hint: "write a path relative to the root of the state repo, without '..'",
  }),
  stdin: choice(['json', 'prompt'], {
    description: 'What a perTask command reads: the task as one line of JSON, or the bare prompt.',
    default: 'json',
  }),
}
