/** Shells that can be given a script. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** What `attache completion candidates` prints beside words: files of this machine do as well. */
export const FILES_TOO = ':files';

/** The scripts only ask: what can stand where is known to the commands alone. */
export const SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: `# attache completion bash
_attache() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $line == '${FILES_TOO}' ]]; then compopt -o default 2>/dev/null; continue; fi
    COMPREPLY+=("\${line%%$'\\t'*}")
  done < <(attache completion candidates -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _attache attache`,
  zsh: `#compdef attache
# attache completion zsh
_attache() {
  local line word
  local -a described
  for line in "\${(@f)$(attache completion candidates -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    [[ -z $line ]] && continue
    if [[ $line == '${FILES_TOO}' ]]; then _files; continue; fi
    word=\${line%%$'\\t'*}
    described+=("\${word//:/\\\\:}:\${line#*$'\\t'}")
  done
  (( \${#described} )) && _describe attache described
}
compdef _attache attache`,
  fish: `# attache completion fish
function __attache_candidates
    set -l typed (commandline -opc) (commandline -ct)
    for line in (attache completion candidates -- $typed[2..-1] 2>/dev/null)
        if test "$line" = '${FILES_TOO}'
            __fish_complete_path (commandline -ct)
        else
            printf '%s\\n' $line
        end
    end
end
complete -c attache -f -a '(__attache_candidates)'`,
};
