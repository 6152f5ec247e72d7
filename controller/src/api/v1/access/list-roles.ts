import Type from 'typebox'
import { aliasesOf, ROLE_NAMES, ROLES } from '../../auth/roles.ts'
import { route } from '../../http/route.ts'
import { samplePage } from '../samples.ts'
import { pageOf } from '../schemas.ts'

const Role = Type.Object(
  {
    name: Type.String(),
    aliases: Type.Array(Type.String()),
    description: Type.String(),
    verbs: Type.Array(Type.String()),
  },
  { title: 'Role' },
)

const items = ROLE_NAMES.map((name) => ({
  name,
  aliases: aliasesOf(name),
  description: ROLES[name].description,
  verbs: ROLES[name].verbs,
}))

export const listRoles = route({
  operation: 'listRoles',
  method: 'GET',
  path: '/api/v1/roles',
  tag: 'access',
  access: 'read',
  summary: 'List the roles and what each may do',
  answers: { 200: pageOf(Role) },
  example: { answer: samplePage(items[0]) },
  answer: async ({ correlationId }) => ({ items, next_cursor: null, correlation_id: correlationId }),
})
