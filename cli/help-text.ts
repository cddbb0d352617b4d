// What the commands say about themselves beside their options.

export interface HelpText {
  /** In the list of commands. */
  readonly summary: string;
  readonly usage: string;
  readonly description: string;
  readonly examples: readonly string[];
}

export const OVERVIEW = {
  description: 'Decide on Stories and see what became of them.',
  examples: [
    'kubectl fleet tree story add-cart --watch',
    'kubectl fleet approve plan add-cart-1',
    'kubectl fleet logs task add-cart-api-1f2e3d4c -f',
  ],
} as const;

export const HELP = {
  approve: {
    summary: 'let a Plan be carried out, or open the scope, test or docs gate of a Story',
    usage: 'plan NAME [options]\n       kubectl fleet approve story NAME --gate GATE [options]',
    description: `Shows what is approved, exactly as the operator will carry it out, asks, and then writes your approval of that digest, in your own user name. If the object changes before the approval arrives, the approval does not count for the change.
A Plan's author cannot approve it.`,
    examples: [
      'kubectl fleet approve story add-cart --gate scope',
      'kubectl fleet approve plan add-cart-1',
      'kubectl fleet approve plan add-cart-1 -n shop --yes --reason "small and tested"',
    ],
  },
  reject: {
    summary: 'say no to a Plan or at a gate, and why',
    usage: 'plan NAME --reason WHY [options]\n       kubectl fleet reject story NAME --gate GATE --reason WHY [options]',
    description:
      'Says no, in your own user name. After a rejected Plan a Story waits for the next revision; after a rejected test or docs gate it goes back to Build and waits for one.',
    examples: [
      'kubectl fleet reject plan add-cart-1 --reason "touches billing; leave that out"',
      'kubectl fleet reject story add-cart --gate test --reason "no test for the empty cart"',
    ],
  },
  tree: {
    summary: 'a Story, its Plans, Tasks, attempts and commits, and what it waits for',
    usage: '[story NAME] [options]',
    description:
      'Prints Story, gates, Plans, Tasks and attempts with phases, reasons, commits and evidence, and what each waits for. Without a name, all Stories of the namespace.',
    examples: ['kubectl fleet tree story add-cart', 'kubectl fleet tree -n shop --watch'],
  },
  logs: {
    summary: 'what the steps of its workspaces printed, or the evidence they left',
    usage: 'story|task NAME [options]',
    description: `Prints what the containers of its workspace pods printed, each line with the step's name in front; of a Story, those of all its Tasks. Pods are kept for a day after their end.
With --evidence it prints the record of each attempt (commands, results, patch) from the gateway instead; that needs the right to a token of the ServiceAccount fleet-reader and to port-forward in the gateway's namespace (ClusterRole …-auditor and Role …-gateway-reader of the chart).`,
    examples: [
      'kubectl fleet logs task add-cart-api-1f2e3d4c -f',
      'kubectl fleet logs story add-cart --step verify',
      'kubectl fleet logs task add-cart-api-1f2e3d4c --evidence --attempt 2',
    ],
  },
  replay: {
    summary: 'whether the outcome of a Deliberation follows from what was recorded',
    usage: 'deliberation NAME [options]',
    description: `Works the outcome of a Deliberation out again, from nothing but what its status pinned and recorded, and compares it with what the status says, to the byte: results, winner, rationale, dissent, tokens. It asks no model, and needs no text.
Ends with 0 where it comes to the same, else with 1.`,
    examples: ['kubectl fleet replay deliberation add-cart-api-before-1'],
  },
  transcript: {
    summary: 'how a Deliberation came to its outcome, as Markdown',
    usage: 'deliberation NAME [options]',
    description: `Prints the question, who took part, every proposal, critique and revision, the scores, who was chosen and why, who disagreed, what failed, and what it cost.
What the agents wrote comes from the gateway; that needs the right to a token of the ServiceAccount fleet-reader and to port-forward in the gateway's namespace (ClusterRole …-auditor and Role …-gateway-reader of the chart). A text that is no longer kept is named as such.
With --no-texts it prints what the object alone tells.`,
    examples: [
      'kubectl fleet transcript deliberation add-cart-api-before-1 > why.md',
      'kubectl fleet transcript deliberation add-cart-api-before-1 --no-texts',
    ],
  },
  completion: {
    summary: 'shell completion',
    usage: 'SHELL',
    description: `Prints a completion script.
For "kubectl fleet <TAB>", beside kubectl's own completion, a program kubectl_complete-fleet on the PATH, in every shell:
  kubectl fleet completion kubectl > ~/bin/kubectl_complete-fleet; chmod +x ~/bin/kubectl_complete-fleet
For "kubectl-fleet <TAB>":
  bash   source <(kubectl-fleet completion bash)
  zsh    source <(kubectl-fleet completion zsh)
  fish   kubectl-fleet completion fish | source`,
    examples: [],
  },
} as const satisfies Readonly<Record<string, HelpText>>;
