// The shells' side of completion. Each only hands the words to `petra __complete` and shows what comes back: one
// candidate a line with its description after a tab, and at the end what else to offer (`:files`).

export const shells = ['bash', 'zsh', 'fish'] as const;

export type Shell = (typeof shells)[number];

const bash = String.raw`# bash completion for petra. Works with bash 3.2 and newer.
_petra() {
  local line tab=$'\t' current="\${COMP_WORDS[COMP_CWORD]}"
  COMPREPLY=()
  while IFS= read -r line; do
    case "$line" in
      :files)
        compopt -o filenames 2>/dev/null
        while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$current")
        ;;
      *) COMPREPLY+=("\${line%%"$tab"*}") ;;
    esac
  done < <("\${COMP_WORDS[0]}" __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _petra petra`;

const zsh = String.raw`#compdef petra
_petra() {
  local -a lines candidates
  local line value files=
  lines=("\${(@f)$("\${words[1]}" __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  for line in $lines; do
    if [[ $line == :files ]]; then
      files=yes
    elif [[ -n $line ]]; then
      value=\${line%%$'\t'*}
      candidates+=("\${value//:/\\:}:\${line#*$'\t'}")
    fi
  done
  (( $#candidates )) && _describe petra candidates
  [[ -n $files ]] && _files
}
if [[ \${funcstack[1]} == _petra ]]; then
  _petra "$@"
else
  compdef _petra petra
fi`;

const fish = `# fish completion for petra
function __petra_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    for line in ($words[1] __complete -- $words[2..-1] "$current" 2>/dev/null)
        if test "$line" = :files
            __fish_complete_path "$current"
        else
            echo $line
        end
    end
end
complete -c petra -f -a '(__petra_complete)'`;

const scripts: Readonly<Record<Shell, string>> = { bash, zsh, fish };

/** The completion script for a shell. */
export function completionScript(shell: Shell): string {
  // String.raw keeps the backslash that hides a shell's braces from the template.
  return scripts[shell].replaceAll('\\${', '${');
}
