// What the command says about itself.

import type { Topic } from './command-line.ts';

const PLACE = `  -n, --namespace NS     namespace (default: that of the current context)
      --context NAME     context of the kubeconfig
      --kubeconfig FILE  kubeconfig (default: $KUBECONFIG, then ~/.kube/config)
  -h, --help             this text`;

const OVERVIEW = `kubectl fleet: decide on Stories and see what became of them

  approve plan NAME                      let a Plan be carried out
  approve story NAME --gate GATE         open the scope, test or docs gate of a Story
  reject  plan|story NAME --reason WHY   shut it, saying why
  tree    [story NAME]                   a Story, its Plan, Tasks, attempts and commits, and what it waits for
  logs    story|task NAME                what the steps of its workspaces printed, or the evidence they left
  completion bash|zsh|kubectl            shell completion
  version

Examples
  kubectl fleet tree story add-cart --watch
  kubectl fleet approve plan add-cart-1
  kubectl fleet logs task add-cart-api-1f2e3d4c -f

More on one of them: kubectl fleet COMMAND --help
`;

const TOPIC_TEXTS: Readonly<Record<Topic, string>> = {
  approve: `kubectl fleet approve plan NAME [--reason WHY] [--yes]
kubectl fleet approve story NAME --gate scope|test|docs [--reason WHY] [--yes]

Shows what is approved, exactly as the operator will carry it out, asks, and then writes your approval of that digest, in your
own user name. If the object changes before the approval arrives, the approval does not count for the change.
A Plan's author cannot approve it.

      --gate GATE        of a Story: scope (may it be planned?), test or docs (does the branch's head pass?)
      --reason WHY       kept with the approval
  -y, --yes              ask nothing; needed where there is no terminal
${PLACE}

Examples
  kubectl fleet approve story add-cart --gate scope
  kubectl fleet approve plan add-cart-1
  kubectl fleet approve plan add-cart-1 -n shop --yes --reason "small and tested"
`,
  reject: `kubectl fleet reject plan NAME --reason WHY [--yes]
kubectl fleet reject story NAME --gate scope|test|docs --reason WHY [--yes]

Says no, in your own user name. After a rejected Plan a Story waits for the next revision; after a rejected test or docs gate it
goes back to Build and waits for one.

      --reason WHY       needed: whoever revises reads it
      --gate GATE        of a Story: scope, test or docs
  -y, --yes              ask nothing; needed where there is no terminal
${PLACE}

Examples
  kubectl fleet reject plan add-cart-1 --reason "touches billing; leave that out"
  kubectl fleet reject story add-cart --gate test --reason "no test for the empty cart"
`,
  tree: `kubectl fleet tree [story NAME] [--watch]

Prints Story, gates, Plan, Tasks and attempts with phases, reasons, commits and evidence, and what each waits for. Without a name,
all Stories of the namespace.

  -w, --watch            print it again whenever something changes, until the Story is at its end (or Ctrl-C)
${PLACE}

Examples
  kubectl fleet tree story add-cart
  kubectl fleet tree -n shop --watch
`,
  logs: `kubectl fleet logs story|task NAME [--attempt N] [--step STEP] [--follow]
kubectl fleet logs story|task NAME --evidence [--attempt N]

Prints what the containers of its workspace pods printed, each line with the step's name in front; of a Story, those of all its
Tasks. Pods are kept for a day after their end. With --evidence it prints the record of each attempt (commands, results, patch) from
the gateway instead; that needs the right to a token of the ServiceAccount fleet-reader and to port-forward in the gateway's namespace
(ClusterRole …-auditor and Role …-gateway-reader of the chart).

      --attempt N        only this attempt (default: all for logs, the last for evidence)
  -s, --step STEP        only this step: checkout, setup, work, verify, report, merge, push …
  -f, --follow           go on until the Task or Story is at its end
      --evidence         the evidence instead of logs
      --gateway-namespace NS  where swe-fleet runs (default: looked for)
${PLACE}

Examples
  kubectl fleet logs task add-cart-api-1f2e3d4c -f
  kubectl fleet logs story add-cart --step verify
  kubectl fleet logs task add-cart-api-1f2e3d4c --evidence --attempt 2
`,
  completion: `kubectl fleet completion bash|zsh|kubectl

Prints a completion script.

  bash      for kubectl-fleet:       source <(kubectl fleet completion bash)
  zsh       for kubectl-fleet:       source <(kubectl fleet completion zsh)
  kubectl   for "kubectl fleet …":   kubectl fleet completion kubectl > ~/bin/kubectl_complete-fleet; chmod +x ~/bin/kubectl_complete-fleet
            (kubectl's own completion looks for that name on the PATH)
`,
};

export const helpText = (topic?: Topic): string => (topic === undefined ? OVERVIEW : TOPIC_TEXTS[topic]);
