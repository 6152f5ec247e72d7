import { fail } from '../lib/error-catalogue.ts'
import type { Verb } from './verb.ts'

export const verb: Verb = {
  arguments: '<shell>',
  description:
    'Prints the completion script of bash, zsh or fish. It completes verbs, flags, kinds, and names the server knows.',
  examples: [
    ['source <(stateward completion bash)', 'for this shell'],
    ['stateward completion zsh > ~/.zsh/completions/_stateward', 'for every zsh, with that folder in fpath'],
    ['stateward completion fish > ~/.config/fish/completions/stateward.fish'],
  ],
  settings: [],
  async run(call) {
    const script = SCRIPTS[call.args[0] ?? '']
    if (script === undefined)
      throw fail('SW_USAGE', `there is no completion for "${call.args[0]}": choose bash, zsh or fish`)
    await call.terminal.out(script)
    return 0
  },
}

// Each asks the program that was typed (also `bin/stateward`), so what is completed is what that version can do.
const SCRIPTS: Readonly<Record<string, string>> = {
  bash: `# bash completion for stateward
_stateward() {
  local cur words word
  # '=' and ':' do not split words here.
  if declare -F _get_comp_words_by_ref >/dev/null; then
    local cword
    _get_comp_words_by_ref -n =: cur words cword
    words=("\${words[@]:0:cword+1}")
  else
    words=("\${COMP_WORDS[@]:0:COMP_CWORD+1}")
    cur=\${COMP_WORDS[COMP_CWORD]}
  fi
  COMPREPLY=()
  while IFS= read -r word; do
    COMPREPLY+=("$word")
  done < <("\${words[0]}" __complete "\${words[@]:1}" 2>/dev/null)
  # \`agents,\` and \`agent/\` go on without a blank.
  declare -F __ltrim_colon_completions >/dev/null && __ltrim_colon_completions "$cur"
  return 0
}
complete -o default -F _stateward stateward bin/stateward
`,
  zsh: `#compdef stateward
_stateward() {
  local -a found
  found=("\${(@f)$("\${words[1]}" __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "\${found[*]}" ]]; then
    compadd -- "\${found[@]}"
  else
    _files
  fi
}
if [[ "\${funcstack[1]}" = _stateward ]]; then
  _stateward "$@"
else
  compdef _stateward stateward
fi
`,
  fish: `# fish completion for stateward
function __stateward_complete
  set -l words (commandline -opc) (commandline -ct)
  $words[1] __complete $words[2..-1] 2>/dev/null
end
complete -c stateward -f -a '(__stateward_complete)'
`,
}
