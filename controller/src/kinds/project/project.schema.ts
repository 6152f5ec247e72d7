import type { Static } from 'typebox'
import {
  choice,
  commonFields,
  flag,
  list,
  NAME_HINT,
  NAME_PATTERN,
  object,
  optionalAll,
  text,
} from '../schema-parts.ts'
import { statusOf } from '../status-parts.ts'

const repo = object(
  {
    name: text({ description: 'Short name.', minLength: 1, maxLength: 63, pattern: NAME_PATTERN, hint: NAME_HINT }),
    url: text({ description: 'Address of the repository.', minLength: 1, maxLength: 2048 }),
  },
  { description: 'One repository.' },
)

const ownerRef = object(
  {
    kind: choice(['Agent', 'Team', 'User'], { description: 'What the owner is. An Agent has to be declared.' }),
    name: text({ description: 'Name of the owner.', minLength: 1, maxLength: 128 }),
  },
  { description: 'Who answers for the project; shown with it.' },
)

export const projectSpec = object(
  optionalAll({
    description: text({ description: 'What it is about.', maxLength: 4096 }),
    lifecyclePhase: choice(['discovery', 'active', 'paused', 'complete'], {
      description: 'How far it is; shown with it.',
      default: 'active',
    }),
    ownerRef,
    repos: list(repo, { description: 'Repositories it works on; shown with it.', maxItems: 50, unique: ['name'] }),
    sharedFolder: flag({
      description: 'Whether its agents on a host share one folder, which they find at STATEWARD_SHARED.',
      default: false,
    }),
    ...commonFields,
  }),
  { description: 'A project as it is wanted.' },
)

/** A Project's spec as written. */
export type ProjectSpec = Static<typeof projectSpec>

export const projectStatus = statusOf({})
