import { GLOB_PATTERN, integer, list, object, optionalAll, text } from '../schema-parts.ts'

/** Limits on what an agent is given, and on what it may propose. */
export const constraints = object(
  optionalAll({
    tools: list(
      text({
        description: 'A tool, or several with *: http.*',
        minLength: 1,
        maxLength: 128,
        pattern: '^[A-Za-z0-9_.*-]+$',
        hint: "use letters, digits, '.', '_', '-' and '*'",
      }),
      {
        description:
          'The tools it may call; a call of another is refused, and each task names them. Left out: not limited.',
        maxItems: 100,
        unique: 'set',
      },
    ),
    maxTasks: integer({
      description: 'Tasks it has at once, all instances together. 0 gives it none.',
      minimum: 0,
      maximum: 10_000,
    }),
    tasksPerMinute: integer({
      description: 'Tasks it is given in any 60 seconds.',
      minimum: 0,
      maximum: 100_000,
    }),
  }),
  { description: 'Limits on what it is given, for as long as they stand here; an intervention sets them at once.' },
)

export const workspace = object(
  optionalAll({
    allowedPaths: list(
      text({
        description: 'A glob over paths from the root of the state repo: docs/**, agents/*.yaml.',
        minLength: 1,
        maxLength: 256,
        pattern: GLOB_PATTERN,
        hint: "write a glob relative to the root of the state repo, without '..'",
      }),
      {
        description: 'Files of the state repo it may propose to change. Left out: any; empty: none.',
        maxItems: 100,
        unique: 'set',
      },
    ),
    maxChangedFiles: integer({
      description: 'How many files one proposal of it may change.',
      minimum: 0,
      maximum: 10_000,
    }),
  }),
  { description: 'What it may propose to change.' },
)
