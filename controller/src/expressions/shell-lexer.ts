// biome-ignore-all lint/suspicious/noTemplateCurlyInString: this is about shell text
/**
 * Reads the literal text of a POSIX shell command far enough to know, at every place where a value will stand, whether that place is a
 * plain word: there `"$1"` is one word whatever it holds. It does not run anything and, in doubt, says no.
 */

export type ShellContext = 'single' | 'double' | 'backtick' | 'parameter' | 'arithmetic' | 'substitution' | 'heredoc'

const NAMES: Record<ShellContext, string> = {
  single: 'single quotes',
  double: 'double quotes',
  backtick: 'backticks',
  parameter: '${…}',
  arithmetic: '$((…))',
  substitution: '$(…)',
  heredoc: 'a heredoc',
}

interface Frame {
  readonly context: ShellContext
  /** Open `(` inside this frame. */
  parens: number
}

export class ShellLexer {
  readonly #frames: Frame[] = []
  /** Heredocs announced on this line, whose bodies begin at the next one. */
  readonly #announced: { readonly delimiter: string; readonly stripTabs: boolean }[] = []
  #comment = false
  /** The last characters, for what depends on them. */
  #before = ''
  /** The line so far: a heredoc ends at the one that is its delimiter. */
  #line = ''
  #escaping = false
  #delimiterOpen = false
  /** Set by what shells read differently; from then on no value may stand anywhere. */
  #doubt: string | null = null

  /** Why a value may not stand here, or null when it may. */
  refusal(): string | null {
    if (this.#doubt !== null) return this.#doubt
    if (this.#comment) return 'a comment'
    const quoted = this.#frames.find((frame) => frame.context !== 'substitution')
    if (quoted !== undefined) return NAMES[quoted.context]
    if (this.#escaping) return 'a backslash'
    if (this.#before.endsWith('$')) return 'a $'
    return this.#delimiterOpen ? NAMES.heredoc : null
  }

  /** What is still open at the end of the text, or null. A heredoc may end with the text. */
  unfinished(): string | null {
    const open = this.#frames.at(-1)
    return open === undefined || open.context === 'heredoc' ? null : NAMES[open.context]
  }

  /** Where a value stands: a word character to what follows. */
  placeholder(): void {
    this.#before = 'x'
    this.#line += 'x'
    this.#delimiterOpen = false
  }

  feed(literal: string): void {
    for (let i = 0; i < literal.length; i++) i += this.#step(literal, i)
  }

  /** Consumes the character at `i`; returns how many more it took. */
  #step(literal: string, i: number): number {
    const inHeredoc = this.#frames.at(-1)?.context === 'heredoc'
    const taken = inHeredoc || this.#comment ? 0 : this.#inCode(literal, i)
    const text = literal.slice(i, i + taken + 1)
    this.#before = (this.#before + text).slice(-2)
    // An escaped newline joins two lines: it ends neither a comment nor the line that announced a heredoc.
    if (text === '\n') this.#newline()
    else this.#line += text
    return taken
  }

  #newline(): void {
    this.#comment = false
    this.#delimiterOpen = false
    if (this.#frames.at(-1)?.context === 'heredoc') {
      const { delimiter, stripTabs } = this.#announced[0]!
      if ((stripTabs ? this.#line.replace(/^\t+/, '') : this.#line) === delimiter) {
        this.#announced.shift()
        this.#frames.pop()
      }
    }
    this.#line = ''
    const quoted = this.#frames.some((frame) => frame.context !== 'substitution')
    if (this.#announced.length > 0 && !quoted) this.#open('heredoc')
  }

  #open(context: ShellContext, parens = 0): void {
    this.#frames.push({ context, parens })
  }

  #inCode(literal: string, i: number): number {
    const c = literal[i]!
    const context = this.#frames.at(-1)?.context
    if (context === 'single') {
      if (c === "'") this.#frames.pop()
      return 0
    }
    this.#escaping = c === '\\' && i + 1 === literal.length
    if (c === '\\') return this.#escaping ? 0 : 1
    if (context === 'backtick') {
      if (c === '`') this.#frames.pop()
      return 0
    }
    if (context === 'parameter' && /['"`]/.test(c)) this.#doubt ??= 'quotes inside ${…}'
    if (context === 'double' && c === '"') this.#frames.pop()
    else if (c === '`') this.#open('backtick')
    else if (c === '$') return this.#dollar(literal, i, context)
    else if (context === 'double') return 0
    else if (c === '"') this.#open('double')
    else if (c === "'") this.#open('single')
    else if (context === 'parameter' && c === '}') this.#frames.pop()
    else if (c === '(' || c === ')') this.#paren(c)
    else if (context === undefined || context === 'substitution') return this.#plain(literal, i)
    return 0
  }

  #dollar(literal: string, i: number, context: ShellContext | undefined): number {
    if (literal.startsWith('$((', i)) {
      this.#open('arithmetic', 2)
      return 2
    }
    if (literal.startsWith('$(', i)) {
      this.#open('substitution', 1)
      return 1
    }
    if (literal.startsWith('${', i)) {
      this.#open('parameter')
      return 1
    }
    // bash reads escapes in $'…', dash does not: where it ends depends on the shell.
    if (context !== 'double' && literal.startsWith("$'", i)) this.#doubt ??= "$'…'"
    return 0
  }

  #paren(c: '(' | ')'): void {
    const frame = this.#frames.at(-1)
    if (frame === undefined) return
    frame.parens += c === '(' ? 1 : -1
    if (frame.parens <= 0 && (frame.context === 'substitution' || frame.context === 'arithmetic')) this.#frames.pop()
  }

  /** Comments and heredocs, which exist only outside of quotes. */
  #plain(literal: string, i: number): number {
    const c = literal[i]!
    if (c === '#' && /(^|[\s;&|()])$/.test(this.#before)) {
      this.#comment = true
      return 0
    }
    if (!literal.startsWith('<<', i)) return 0
    if (literal.startsWith('<<<', i)) return 2
    const found = /^<<(-?)[ \t]*(?:'([^'\n]*)'|"([^"\n\\$`]*)"|\\?([^\s;&|<>()'"\\$`]+))(?=[\s;&|<>()]|$)/.exec(
      literal.slice(i),
    )
    if (found === null) {
      this.#doubt ??= 'a heredoc with such a delimiter'
      return 1
    }
    const [whole, dash, ...names] = found
    this.#announced.push({ delimiter: names.find((name) => name !== undefined)!, stripTabs: dash === '-' })
    // A value right after the word would belong to the delimiter.
    this.#delimiterOpen = i + whole.length === literal.length
    return whole.length - 1
  }
}
