import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { dump, load, loadAll } from 'js-yaml'

/**
 * Renders a Helm chart as far as ours goes: the actions and functions that its templates use, nothing else. Anything it does
 * not know throws, so a template either means here what it means to Helm or the test says that this has to learn it.
 */

type Value = unknown
interface Scope {
  readonly dot: Value
  readonly variables: Map<string, Value>
}
type Node =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'print'; readonly pipeline: string }
  | { readonly type: 'set'; readonly name: string; readonly pipeline: string }
  | { readonly type: 'if' | 'with'; readonly pipeline: string; readonly then: Node[]; readonly otherwise: Node[] }
  | { readonly type: 'range'; readonly names: readonly string[]; readonly pipeline: string; readonly then: Node[] }

export interface Release {
  readonly name: string
  readonly namespace: string
}

/** The objects that a release of the chart is made of, with these values over its own. */
export function renderChart(chart: string, release: Release, values: object = {}): Record<string, unknown>[] {
  const metadata = load(readFileSync(join(chart, 'Chart.yaml'), 'utf8')) as Record<string, unknown>
  const defaults = load(readFileSync(join(chart, 'values.yaml'), 'utf8'))
  const root = {
    Values: merged(defaults, values),
    Release: { Name: release.name, Namespace: release.namespace, Service: 'Helm' },
    Chart: { Name: metadata['name'], Version: metadata['version'], AppVersion: metadata['appVersion'] },
    Files: chartFiles(chart),
  }
  const renderer = new Renderer()
  const templates = readdirSync(join(chart, 'templates')).sort()
  const text = (name: string) => readFileSync(join(chart, 'templates', name), 'utf8')
  for (const name of templates.filter((one) => one.endsWith('.tpl'))) renderer.define(text(name))
  return templates
    .filter((one) => one.endsWith('.yaml'))
    .flatMap((name) => loadAll(renderer.render(text(name), root)) as (Record<string, unknown> | null)[])
    .filter((document) => document !== null && document !== undefined)
}

function chartFiles(chart: string) {
  return {
    Get: (path: string) => readFileSync(join(chart, path), 'utf8'),
    Glob: (pattern: string) => {
      const [, folder, ending] = /^([^*]+)\/\*(\.[a-z]+)$/.exec(pattern) ?? []
      if (folder === undefined) throw new Error(`glob ${pattern}`)
      const names = readdirSync(join(chart, folder)).filter((name) => name.endsWith(ending!))
      return Object.fromEntries(names.sort().map((name) => [`${folder}/${name}`, '']))
    },
  }
}

function isMap(value: Value): value is Record<string, Value> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function merged(base: Value, over: Value): Value {
  if (!isMap(base) || !isMap(over)) return over
  const result: Record<string, Value> = { ...base }
  for (const [key, value] of Object.entries(over)) result[key] = key in base ? merged(base[key], value) : value
  return result
}

function isTrue(value: Value): boolean {
  if (Array.isArray(value)) return value.length > 0
  if (isMap(value)) return Object.keys(value).length > 0
  return Boolean(value)
}

class Renderer {
  readonly #defined = new Map<string, Node[]>()

  define(text: string): void {
    this.#parse(text)
  }

  render(text: string, root: Value): string {
    return this.#run(this.#parse(text), { dot: root, variables: new Map([['$', root]]) })
  }

  #parse(text: string): Node[] {
    const parts = pieces(text)
    const nodes = this.#block(parts, [])
    if (parts.length > 0) throw new Error(`{{ ${parts[0]!.action} }} ends nothing`)
    return nodes
  }

  #block(parts: Piece[], ends: readonly string[]): Node[] {
    const nodes: Node[] = []
    while (parts.length > 0) {
      const { text, action } = parts[0]!
      if (action !== undefined && ends.includes(action)) return nodes
      parts.shift()
      if (text !== undefined) nodes.push({ type: 'text', text })
      else this.#action(action!, parts, nodes)
    }
    if (ends.length > 0) throw new Error(`no {{ ${ends.join(' or ')} }}`)
    return nodes
  }

  #action(action: string, parts: Piece[], nodes: Node[]): void {
    const [, word = '', rest = ''] = /^(define|if|with|range|end|else)?\s*(.*)$/s.exec(action)!
    const assigned = /^(\$[a-zA-Z]+)\s*:=\s*(.*)$/s.exec(action)
    if (action.startsWith('/*')) return
    if (assigned !== null) nodes.push({ type: 'set', name: assigned[1]!, pipeline: assigned[2]! })
    else if (word === 'define') {
      this.#defined.set(JSON.parse(rest) as string, this.#block(parts, ['end']))
      parts.shift()
    } else if (word === 'if' || word === 'with') {
      const then = this.#block(parts, ['else', 'end'])
      const otherwise = parts.shift()!.action === 'else' ? this.#block(parts, ['end']) : []
      if (otherwise.length > 0) parts.shift()
      nodes.push({ type: word, pipeline: rest, then, otherwise })
    } else if (word === 'range') {
      const [, first, second, pipeline] = /^(?:(\$\w+),\s*(\$\w+)\s*:=\s*)?(.*)$/s.exec(rest)!
      const then = this.#block(parts, ['end'])
      parts.shift()
      nodes.push({ type: 'range', names: first === undefined ? [] : [first, second!], pipeline: pipeline!, then })
    } else if (word === '') nodes.push({ type: 'print', pipeline: action })
    else throw new Error(`{{ ${action} }} stands alone`)
  }

  #run(nodes: readonly Node[], scope: Scope): string {
    return nodes.map((node) => this.#one(node, scope)).join('')
  }

  #one(node: Node, scope: Scope): string {
    if (node.type === 'text') return node.text
    const value = this.#value(node.pipeline, scope)
    switch (node.type) {
      case 'print':
        if (typeof value === 'object' || value === undefined) throw new Error(`{{ ${node.pipeline} }} is no text`)
        return String(value)
      case 'set':
        scope.variables.set(node.name, value)
        return ''
      case 'if':
        return this.#run(isTrue(value) ? node.then : node.otherwise, scope)
      case 'with':
        return isTrue(value)
          ? this.#run(node.then, { dot: value, variables: new Map(scope.variables) })
          : this.#run(node.otherwise, scope)
      case 'range':
        // Go goes through a map in the order of its keys.
        return (Array.isArray(value) ? [...value.entries()] : Object.entries(value as object).sort())
          .map(([key, each]) => {
            const variables = new Map(scope.variables)
            if (node.names.length > 0) variables.set(node.names[0]!, key).set(node.names[1]!, each)
            return this.#run(node.then, { dot: each, variables })
          })
          .join('')
    }
  }

  #value(pipeline: string, scope: Scope): Value {
    const tokens = pipeline.match(/"(?:[^"\\]|\\.)*"|\||\(|\)|[^\s()|]+/g) ?? []
    const value = this.#pipe(tokens, scope)
    if (tokens.length > 0) throw new Error(`cannot read {{ ${pipeline} }}`)
    return value
  }

  #pipe(tokens: string[], scope: Scope): Value {
    let value = this.#call(tokens, scope, [])
    while (tokens[0] === '|') {
      tokens.shift()
      value = this.#call(tokens, scope, [value])
    }
    return value
  }

  #call(tokens: string[], scope: Scope, last: readonly Value[]): Value {
    const first = tokens.shift()!
    const args: Value[] = []
    while (tokens.length > 0 && tokens[0] !== '|' && tokens[0] !== ')') args.push(this.#operand(tokens, scope))
    if (/^[a-z]/i.test(first) && !/^(?:true|false)$/.test(first)) return this.#function(first, [...args, ...last])
    const value = this.#operandOf(first, tokens, scope)
    return typeof value === 'function' ? (value as (...args: Value[]) => Value)(...args, ...last) : value
  }

  #operand(tokens: string[], scope: Scope): Value {
    return this.#operandOf(tokens.shift()!, tokens, scope)
  }

  #operandOf(token: string, tokens: string[], scope: Scope): Value {
    if (token === '(') {
      const value = this.#pipe(tokens, scope)
      if (tokens.shift() !== ')') throw new Error('no )')
      return value
    }
    if (token.startsWith('"')) return JSON.parse(token)
    if (token === 'true' || token === 'false') return token === 'true'
    if (/^\d+$/.test(token)) return Number(token)
    const [, head = '', path = ''] = /^(\$[a-zA-Z]*)?(.*)$/.exec(token)!
    if (!/^(?:\.|(?:\.\w+)*)$/.test(path)) throw new Error(`cannot read ${token}`)
    if (head !== '' && !scope.variables.has(head)) throw new Error(`no variable ${head}`)
    const start = head === '' ? scope.dot : scope.variables.get(head)
    const keys = path.split('.').filter((key) => key !== '')
    return keys.reduce((at, key) => {
      if (!isMap(at) || !(key in at)) throw new Error(`${token} is not there`)
      return at[key]
    }, start)
  }

  #function(name: string, args: readonly Value[]): Value {
    const [a, b] = args
    switch (name) {
      case 'include': {
        const nodes = this.#defined.get(a as string)
        if (nodes === undefined) throw new Error(`no template ${a}`)
        return this.#run(nodes, { dot: b, variables: new Map([['$', b]]) })
      }
      case 'toYaml':
        return dump(a, { noRefs: true, lineWidth: -1 }).trimEnd()
      case 'nindent':
        return `\n${(b as string).replaceAll(/^/gm, ' '.repeat(a as number))}`
      case 'quote':
        return JSON.stringify(String(a))
      case 'default':
        return isTrue(b) ? b : a
      case 'toString':
        return String(a)
      case 'join':
        return (b as Value[]).join(a as string)
      case 'ne':
        return a !== b
      case 'not':
        return !isTrue(a)
      case 'has':
        return (b as Value[]).includes(a)
      case 'dict':
        return Object.fromEntries(args.flatMap((key, i) => (i % 2 === 0 ? [[key, args[i + 1]]] : [])))
      case 'printf': {
        const rest = [...args.slice(1)]
        return (a as string).replaceAll('%s', () => String(rest.shift()))
      }
      default:
        throw new Error(`no function ${name}`)
    }
  }
}

interface Piece {
  readonly text?: string
  readonly action?: string
}

/** Text and actions in turn; `{{-` and `-}}` take the white space beside them. */
function pieces(template: string): Piece[] {
  const found: Piece[] = []
  let trim = false
  for (const [i, part] of template.split(/(\{\{-?[\s\S]*?-?\}\})/).entries()) {
    if (i % 2 === 1) {
      trim = part.endsWith('-}}')
      if (part.startsWith('{{-')) {
        const before = found.at(-1)
        if (before?.text !== undefined) found[found.length - 1] = { text: before.text.trimEnd() }
      }
      found.push({
        action: part
          .replace(/^\{\{-?/, '')
          .replace(/-?\}\}$/, '')
          .trim(),
      })
    } else found.push({ text: trim ? part.trimStart() : part })
  }
  return found
}
