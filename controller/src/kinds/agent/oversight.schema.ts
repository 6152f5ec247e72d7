import { choice, list, text } from '../schema-parts.ts'

/** What people keep in hand of what goes on from an agent's work. */
export const oversight = {
  autonomy: choice(['full', 'supervised', 'manual'], {
    description:
      'Gates before calls of tools that go on from its work: full adds none; supervised adds one before calls of medium and high risk; manual before every call that leaves something behind. The stricter of this and what the environment says counts. An approved gate of the plan above the call counts. Left out: as the environment says, else supervised.',
  }),
  requireApproval: list(
    text({
      description: 'A tool, or several with *: ssh.*',
      minLength: 1,
      maxLength: 128,
      pattern: '^[A-Za-z0-9_.*-]+$',
      hint: "use letters, digits, '.', '_', '-' and '*'",
    }),
    {
      description:
        'Tools that a call going on from its work never reaches without an approval of its own, whatever the autonomy.',
      maxItems: 100,
      unique: 'set',
    },
  ),
}
