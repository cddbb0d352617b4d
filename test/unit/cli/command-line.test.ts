import { describe, expect, it } from 'vitest';
import { parseCommandLine, type Command } from '../../../cli/command-line.ts';
import { UsageError } from '../../../cli/usage-error.ts';

const understood: readonly { readonly line: string; readonly want: Command }[] = [
  { line: '', want: { verb: 'help' } },
  { line: '--help', want: { verb: 'help' } },
  { line: 'help approve', want: { verb: 'help', topic: 'approve' } },
  { line: 'tree -h', want: { verb: 'help', topic: 'tree' } },
  { line: '--version', want: { verb: 'version' } },
  { line: 'approve plan p', want: { verb: 'approve', place: {}, target: { kind: 'plan', name: 'p' }, yes: false } },
  {
    line: 'approve plan/p --gate design -y',
    want: { verb: 'approve', place: {}, target: { kind: 'plan', name: 'p' }, yes: true },
  },
  {
    line: 'approve -n shop --context c --kubeconfig k story s --gate scope --reason fine',
    want: {
      verb: 'approve',
      place: { namespace: 'shop', context: 'c', kubeconfig: 'k' },
      target: { kind: 'story', name: 's', gate: 'scope' },
      reason: 'fine',
      yes: false,
    },
  },
  {
    line: 'reject pln p --reason no',
    want: { verb: 'reject', place: {}, target: { kind: 'plan', name: 'p' }, reason: 'no', yes: false },
  },
  {
    line: 'reject stories.swefleet.io/s --gate docs --reason no',
    want: { verb: 'reject', place: {}, target: { kind: 'story', name: 's', gate: 'docs' }, reason: 'no', yes: false },
  },
  { line: 'tree', want: { verb: 'tree', place: {}, watch: false } },
  { line: 'tree s', want: { verb: 'tree', place: {}, watch: false, story: 's' } },
  { line: 'tree story s -w', want: { verb: 'tree', place: {}, watch: true, story: 's' } },
  { line: 'tree sty/s', want: { verb: 'tree', place: {}, watch: false, story: 's' } },
  { line: 'logs task t', want: { verb: 'logs', place: {}, kind: 'task', name: 't', follow: false, evidence: false } },
  {
    line: 'logs story s --attempt 2 --step verify -f',
    want: { verb: 'logs', place: {}, kind: 'story', name: 's', follow: true, evidence: false, attempt: 2, step: 'verify' },
  },
  {
    line: 'logs task t --evidence --gateway-namespace fleet',
    want: { verb: 'logs', place: {}, kind: 'task', name: 't', follow: false, evidence: true, gatewayNamespace: 'fleet' },
  },
  { line: 'completion zsh', want: { verb: 'completion', shell: 'zsh' } },
  { line: '__complete approve plan', want: { verb: 'complete', words: ['approve', 'plan'] } },
];

const refused: readonly { readonly line: string; readonly message: RegExp; readonly hint: RegExp }[] = [
  { line: 'aprove', message: /there is no command "aprove"/, hint: /Did you mean approve\?/ },
  { line: 'xyz', message: /there is no command "xyz"/, hint: /kubectl fleet help/ },
  { line: '-n shop tree', message: /options come after the command/, hint: /help/ },
  { line: 'help plans', message: /there is no help on "plans"/, hint: /approve, reject, tree, logs/ },
  { line: 'approve', message: /approve what\?/, hint: /approve --help/ },
  { line: 'approve plan', message: /which plan\?/, hint: /kubectl get plans/ },
  { line: 'approve story', message: /which story\?/, hint: /kubectl get stories/ },
  { line: 'approve stoy s', message: /cannot approve a "stoy"/, hint: /Did you mean story\?/ },
  { line: 'approve task t', message: /cannot approve a "task"/, hint: /plan or story/ },
  { line: 'approve plan a b', message: /one plan at a time/, hint: /--help/ },
  { line: 'approve story s', message: /which gate/, hint: /scope \| test \| docs/ },
  { line: 'approve story s --gate scop', message: /no gate "scop"/, hint: /scope \| test \| docs/ },
  { line: 'approve story s --gate design', message: /the design gate is the approval of a Plan/, hint: /approve plan NAME/ },
  { line: 'approve plan p --gate scope', message: /a Plan has no gate/, hint: /^$/ },
  { line: 'reject plan p', message: /a rejection needs a reason/, hint: /--reason/ },
  { line: 'reject plan p --reason=', message: /a rejection needs a reason/, hint: /--reason/ },
  { line: 'logs', message: /logs what\?/, hint: /--help/ },
  { line: 'logs plan p', message: /cannot logs a "plan"/, hint: /story or task/ },
  { line: 'logs task t --attempt 0', message: /"0" is no number of an attempt/, hint: /--attempt 2/ },
  { line: 'logs task t --attempt one', message: /"one" is no number of an attempt/, hint: /--attempt 2/ },
  { line: 'logs task t --evidence -f', message: /neither --follow nor --step/, hint: /^$/ },
  { line: 'logs task t --folow', message: /there is no option --folow/, hint: /Did you mean --follow\?/ },
  { line: 'logs task t --step', message: /argument missing/, hint: /logs --help/ },
  { line: 'completion fish', message: /which shell/, hint: /bash, zsh, kubectl/ },
];

const wordsOf = (line: string): readonly string[] => line.split(' ').filter((word) => word !== '');

describe('the command line', () => {
  it.each(understood)('understands "$line"', ({ line, want }) => {
    expect(parseCommandLine(wordsOf(line))).toEqual(want);
  });

  it.each(refused)('refuses "$line" and says what to do', ({ line, message, hint }) => {
    const said = ((): UsageError => {
      try {
        parseCommandLine(wordsOf(line));
      } catch (error) {
        if (error instanceof UsageError) return error;
        throw error;
      }
      throw new Error('it was understood');
    })();
    expect(said.message).toMatch(message);
    expect(said.hint ?? '').toMatch(hint);
  });
});
