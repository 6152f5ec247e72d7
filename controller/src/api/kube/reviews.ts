import type { FastifyRequest } from 'fastify'
import { fail } from '../../lib/error-catalogue.ts'
import { isObject, type JsonObject } from '../../lib/json.ts'
import type { Principal } from '../auth/principal.ts'
import type { Verb } from '../auth/verbs.ts'
import type { Api } from '../http/typed.ts'
import { messageAt, objectOf, textAt } from './protobuf.ts'
import type { ServedGroup, ServedResource } from './served-resource.ts'

/** What somebody wants to know whether he may. */
interface Question {
  readonly verb: string
  readonly group: string
  readonly resource: string
  readonly subresource: string
  /** Instead of a resource. */
  readonly path: string
}

const READING = ['get', 'list', 'watch']
const AUTHORIZATION = 'authorization.k8s.io/v1'
const AUTHENTICATION = 'authentication.k8s.io/v1'

/** `kubectl auth can-i`, `auth can-i --list` and `auth whoami`: about the asker, and nobody else. */
export function addReviews(app: Api, groups: readonly ServedGroup[]): void {
  const config = { access: 'read' as const, isCounted: false }
  const review = (path: string, body: (request: FastifyRequest) => Record<string, unknown>): void => {
    app.post(`/kube/apis/${path}`, { config }, async (request, reply) => {
      reply.status(201)
      return body(request)
    })
  }
  review(`${AUTHORIZATION}/selfsubjectaccessreviews`, (request) => {
    const question = questionOf(request.body)
    const { allowed, reason } = answerTo(question, groups, request.principal)
    return {
      apiVersion: AUTHORIZATION,
      kind: 'SelfSubjectAccessReview',
      metadata: {},
      spec: {},
      status: { allowed, reason },
    }
  })
  review(`${AUTHORIZATION}/selfsubjectrulesreviews`, (request) => ({
    apiVersion: AUTHORIZATION,
    kind: 'SelfSubjectRulesReview',
    metadata: {},
    spec: {},
    status: { resourceRules: rulesOf(groups, request.principal), nonResourceRules: [], incomplete: false },
  }))
  review(`${AUTHENTICATION}/selfsubjectreviews`, ({ principal }) => ({
    apiVersion: AUTHENTICATION,
    kind: 'SelfSubjectReview',
    metadata: {},
    status: { userInfo: { username: principal.name, groups: 'roles' in principal ? principal.roles : [] } },
  }))
}

/** The verb of ours that a request of this sort needs; null = there is no such request. */
function neededVerb(resource: ServedResource, verb: string, subresource: string): Verb | null {
  if (subresource !== '') {
    const part = resource.subresources?.find(({ name }) => name === subresource)
    return part?.verbs.includes(verb) !== true ? null : READING.includes(verb) ? 'read' : 'kube.write'
  }
  if (!(resource.verbs ?? READING).includes(verb)) return null
  return READING.includes(verb) ? 'read' : 'kube.write'
}

function answerTo(question: Question, groups: readonly ServedGroup[], principal: Principal) {
  if (question.path !== '') return { allowed: question.verb === 'get' && principal.verbs.has('read'), reason: '' }
  const resource = groups
    .find(({ group }) => group === question.group)
    ?.resources.find(({ plural }) => plural === question.resource)
  const verbs = question.verb === '*' ? (resource?.verbs ?? READING) : [question.verb]
  const needed = resource === undefined ? [null] : verbs.map((verb) => neededVerb(resource, verb, question.subresource))
  if (needed.includes(null)) return { allowed: false, reason: 'this server has no such request' }
  const missing = needed.find((verb) => verb !== null && !principal.verbs.has(verb))
  return missing === undefined
    ? { allowed: true, reason: '' }
    : { allowed: false, reason: `${principal.name} does not hold the verb ${missing}` }
}

function rulesOf(groups: readonly ServedGroup[], principal: Principal) {
  return groups.flatMap(({ group, resources }) =>
    resources.flatMap((resource) => {
      const verbs = (resource.verbs ?? READING).filter((verb) => {
        const needed = neededVerb(resource, verb, '')
        return needed !== null && principal.verbs.has(needed)
      })
      return verbs.length === 0 ? [] : [{ verbs, apiGroups: [group], resources: [resource.plural] }]
    }),
  )
}

/** From JSON, or from the protobuf kubectl sends since 1.32. */
function questionOf(body: unknown): Question {
  if (Buffer.isBuffer(body)) {
    const spec = messageAt(objectOf(body), 2)
    const [resource, path] = [messageAt(spec, 1), messageAt(spec, 2)]
    const isPath = path.size > 0
    return {
      verb: isPath ? textAt(path, 2) : textAt(resource, 2),
      group: textAt(resource, 3),
      resource: textAt(resource, 5),
      subresource: textAt(resource, 6),
      path: textAt(path, 1),
    }
  }
  const spec = isObject(body) && isObject(body['spec']) ? body['spec'] : {}
  const { resourceAttributes, nonResourceAttributes } = spec
  if (!isObject(resourceAttributes) && !isObject(nonResourceAttributes))
    throw fail('SW_BAD_REQUEST', 'spec has neither resourceAttributes nor nonResourceAttributes')
  const asked = (isObject(nonResourceAttributes) ? nonResourceAttributes : resourceAttributes) as JsonObject
  const text = (name: string) => (typeof asked[name] === 'string' ? asked[name] : '')
  return {
    verb: text('verb'),
    group: text('group'),
    resource: text('resource'),
    subresource: text('subresource'),
    path: text('path'),
  }
}
