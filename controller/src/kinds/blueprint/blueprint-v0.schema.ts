import Type, { type Static } from 'typebox'
import { anyObject, anyValue, choice, list, object, optionalAll, text } from '../schema-parts.ts'
import { KEYWORDS, type Variants } from '../vocabulary.ts'

/**
 * The flat blueprint of the first format: no apiVersion, one trigger, the plan at the top. Read and turned into today's
 * form; this schema serves editors, and the reader for its messages. Ids may hold what today's names may not.
 */

const word = (description: string) => text({ description, minLength: 1, maxLength: 128 })
const long = (description: string) => text({ description, minLength: 1, maxLength: 65_536 })

/** `agent` or `provider`, `prompt` or `prompt_template`: two words for one thing. */
const V0_STEP_VARIANTS = {
  by: 'kind',
  variants: {
    agent_task: { required: [], optional: ['agent', 'provider', 'model', 'prompt', 'prompt_template'] },
    action_task: { required: ['action', 'with'], optional: [] },
    gate: { required: ['mode'], optional: [] },
    transform: { required: ['expression'], optional: [] },
  },
} as const satisfies Variants

const step = object(
  {
    kind: choice(['agent_task', 'action_task', 'gate', 'transform'], { description: 'What the step does.' }),
    id: word('Names the step; unique in the blueprint.'),
    ...optionalAll({
      name: word('A name for people.'),
      agent: word('The agent that gets the work, or else the model provider.'),
      provider: word('The model provider; another word for agent.'),
      model: word('The model.'),
      prompt: long('What the agent is asked to do, with {{inputs.name}} in it.'),
      prompt_template: long('Another word for prompt.'),
      action: word('The tool, for example ssh.run.'),
      with: anyObject({ description: 'Parameters of the tool, with {{inputs.name}} in them.' }),
      mode: choice(['manual'], { description: 'manual: a person decides.' }),
      expression: long('CEL; its value is the output of the step.'),
    }),
  },
  { description: 'One step.', [KEYWORDS.variants]: V0_STEP_VARIANTS },
)

export const blueprintV0 = object(
  {
    id: text({
      description: 'Stable and unique, for example bp.checkmk.auto_remediate.',
      minLength: 1,
      maxLength: 63,
      pattern: '^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$',
      hint: "use letters, digits, '.', '_' and '-'",
    }),
    trigger: object(
      {
        event_type: text({
          description: 'Name of the event that starts a run, for example checkmk.alert.',
          minLength: 1,
          maxLength: 253,
        }),
      },
      { description: 'What starts it.' },
    ),
    plan: list(step, { description: 'The steps, one after the other.', minItems: 1, maxItems: 200, unique: ['id'] }),
    ...optionalAll({
      name: word('A name for people.'),
      description: text({ description: 'What it does.', maxLength: 4096 }),
      inputs: list(
        object(
          {
            name: word('Name of the input.'),
            ...optionalAll({
              default: anyValue({ description: 'The value when none is given; an input without one is required.' }),
              from: long('CEL over `event` that gives the value. Left out: event.data.<name>.'),
            }),
          },
          { description: 'One input.' },
        ),
        { description: 'What a run is given.', maxItems: 100, unique: ['name'] },
      ),
      outputs: list(
        object(
          {
            name: word('Name of the output.'),
            value: Type.Optional(
              anyValue({ description: "The value. Left out: the field of this name in the last step's output." }),
            ),
          },
          { description: 'One output.' },
        ),
        { description: 'What a run gives back.', maxItems: 100, unique: ['name'] },
      ),
    }),
  },
  { description: 'A blueprint of the first format.' },
)

export type BlueprintV0 = Static<typeof blueprintV0>
