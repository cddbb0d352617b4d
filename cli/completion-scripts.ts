// The scripts by which shells, and kubectl, ask for completion. They all read what `kubectl-fleet __complete WORDS...` prints: a
// candidate a line, its description behind a tab, and cobra's directive last, which is how kubectl wants it of its plugins.

export const SHELLS = ['bash', 'zsh', 'fish', 'kubectl'] as const;
export type Shell = (typeof SHELLS)[number];

const SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: `_kubectl_fleet() {
  local IFS=$'\\n'
  COMPREPLY=($(kubectl-fleet __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | sed -e '/^:[0-9]*$/d' -e $'s/\\t.*//'))
}
complete -o default -F _kubectl_fleet kubectl-fleet
`,
  zsh: `#compdef kubectl-fleet
_kubectl_fleet() {
  local -a candidates
  candidates=(\${(f)"$(kubectl-fleet __complete "\${(@)words[2,CURRENT]}" 2>/dev/null | sed -e '/^:[0-9]*$/d' -e 's/:/\\\\:/g' -e $'s/\\t/:/')"})
  _describe candidate candidates
}
if [ "$funcstack[1]" = "_kubectl_fleet" ]; then _kubectl_fleet; else compdef _kubectl_fleet kubectl-fleet; fi
`,
  fish: `function __kubectl_fleet_candidates
  set -l words (commandline -opc)
  kubectl-fleet __complete $words[2..] "$(commandline -ct)" 2>/dev/null | string match -rv '^:[0-9]+$'
end
complete -c kubectl-fleet -f -a '(__kubectl_fleet_candidates)'
`,
  kubectl: `#!/bin/sh
exec kubectl-fleet __complete "$@"
`,
};

export const completionScript = (shell: Shell): string => SCRIPTS[shell];
