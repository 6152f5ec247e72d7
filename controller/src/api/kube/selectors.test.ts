import { describe, expect, it } from 'vitest'
import type { ObjectView } from '../../kinds/resource.ts'
import { parseSelectors } from './selectors.ts'

function view(labels: Record<string, string>, name = 'sre', phase = 'Running'): ObjectView {
  const metadata = {
    name,
    namespace: 'default',
    uid: 'u',
    generation: 1,
    resourceVersion: '1',
    creationTimestamp: '',
    labels,
  }
  return { apiVersion: 'stateward.dev/v1alpha1', kind: 'Agent', metadata, spec: {}, status: { phase } }
}

const matches = (labelSelector: string, labels: Record<string, string>): boolean =>
  parseSelectors({ labelSelector }).matches(view(labels))

describe('label selectors', () => {
  it.each([
    ['', {}, true],
    ['team=platform', { team: 'platform' }, true],
    ['team==platform', { team: 'web' }, false],
    ['team!=platform', {}, true],
    ['team != platform', { team: 'platform' }, false],
    ['team', { team: '' }, true],
    ['!team', { team: 'x' }, false],
    ['!team', {}, true],
    ['team in (platform, web)', { team: 'web' }, true],
    ['team in (platform,web)', {}, false],
    ['team notin (platform,web)', {}, true],
    ['team notin (platform,web)', { team: 'web' }, false],
    ['team=platform,tier in (a,b),!old', { team: 'platform', tier: 'b' }, true],
    ['team=platform,tier in (a,b),!old', { team: 'platform', tier: 'b', old: '1' }, false],
    ['stateward.dev/blueprint=fix', { 'stateward.dev/blueprint': 'fix' }, true],
    ['constructor', {}, false],
  ])('"%s" on %o is %s', (selector, labels, expected) => {
    expect(matches(selector, labels as Record<string, string>)).toBe(expected)
  })

  it.each(['a=b=c', 'in (a)', 'a in b', '-a', 'a in (b', '=b'])('refuses "%s" with 400', (labelSelector) => {
    expect(() => parseSelectors({ labelSelector })).toThrow(
      expect.objectContaining({ ref: 'SW_BAD_REQUEST', status: 400 }),
    )
  })
})

describe('field selectors', () => {
  it('read name, namespace and phase', () => {
    const selector = parseSelectors({ fieldSelector: 'metadata.name=sre,status.phase!=Failed' })
    expect(selector.name).toBe('sre')
    expect(selector.everything).toBe(false)
    expect(selector.matches(view({}))).toBe(true)
    expect(selector.matches(view({}, 'sre', 'Failed'))).toBe(false)
    expect(selector.matches(view({}, 'other'))).toBe(false)
  })

  it('refuse a field that is not served', () => {
    expect(() => parseSelectors({ fieldSelector: 'spec.nodeName=x' })).toThrow(
      expect.objectContaining({ ref: 'SW_BAD_REQUEST' }),
    )
  })
})
