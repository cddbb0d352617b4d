// The command line: what it asks for, or what it says instead; and its exit code.

import { describe, expect, it } from 'vitest';
import type { Handlers } from '../../../cli/program.ts';
import type { LogsRequest, ReplayRequest, TranscriptRequest, TreeRequest, VerdictRequest } from '../../../cli/requests.ts';
import { runCommandLine } from '../../../cli/run.ts';
import { coloured, plain, type Paint } from '../../../cli/terminal.ts';

type Request = VerdictRequest | TreeRequest | LogsRequest | ReplayRequest | TranscriptRequest;

interface Said {
  readonly code: number;
  readonly requests: readonly Request[];
  readonly out: string;
  readonly complaints: readonly string[];
}

const run = async (line: string, paint: Paint = plain): Promise<Said> => {
  const requests: Request[] = [];
  const out: string[] = [];
  const complaints: string[] = [];
  const record = async (request: Request): Promise<void> => void requests.push(request);
  const handlers: Handlers = { decide: record, printTree: record, printLogs: record, replay: record, printTranscript: record };
  const code = await runCommandLine(
    line.split(' ').filter((word) => word !== ''),
    { ...handlers, namesOf: async () => ['cart'] },
    {
      ...{ write: (text) => void out.push(text), complain: (text) => void complaints.push(text) },
      ...{ paint, isInteractive: false, ask: undefined },
    },
  );
  return { code, requests, out: out.join(''), complaints };
};

const IN_SHOP = { namespace: 'shop', context: 'c', kubeconfig: 'k' };
const understood: readonly { readonly line: string; readonly want: Request }[] = [
  { line: 'approve plan p', want: { verb: 'approve', place: {}, target: { kind: 'plan', name: 'p' }, yes: false } },
  {
    line: 'approve plan/p --gate design -y',
    want: { verb: 'approve', place: {}, target: { kind: 'plan', name: 'p' }, yes: true },
  },
  {
    line: 'approve -n shop --context c --kubeconfig k story s --gate scope --reason fine',
    want: {
      ...{ verb: 'approve', place: IN_SHOP, target: { kind: 'story', name: 's', gate: 'scope' } },
      ...{ reason: 'fine', yes: false },
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
  { line: 'tree', want: { place: {}, watch: false } },
  { line: 'tree s', want: { place: {}, watch: false, story: 's' } },
  { line: 'tree story s -w', want: { place: {}, watch: true, story: 's' } },
  { line: 'tree sty/s', want: { place: {}, watch: false, story: 's' } },
  { line: '-n shop tree --namespace=till', want: { place: { namespace: 'till' }, watch: false } },
  { line: '-n shop tree', want: { place: { namespace: 'shop' }, watch: false } },
  { line: 'logs task t', want: { place: {}, kind: 'task', name: 't', follow: false, evidence: false } },
  {
    line: 'logs story s --attempt 2 --step verify -f',
    want: { place: {}, kind: 'story', name: 's', follow: true, evidence: false, attempt: 2, step: 'verify' },
  },
  {
    line: 'logs task t --evidence --gateway-namespace fleet',
    want: { place: {}, kind: 'task', name: 't', follow: false, evidence: true, gatewayNamespace: 'fleet' },
  },
  { line: 'replay deliberation d', want: { place: {}, name: 'd' } },
  { line: 'replay dlb/d -n shop', want: { place: { namespace: 'shop' }, name: 'd' } },
  { line: 'transcript deliberations.swefleet.io/d', want: { place: {}, name: 'd', texts: true } },
  {
    line: 'transcript deliberation d --no-texts --gateway-namespace fleet',
    want: { place: {}, name: 'd', texts: false, gatewayNamespace: 'fleet' },
  },
];

const refused: readonly { readonly line: string; readonly message: RegExp; readonly hint: RegExp }[] = [
  { line: 'aprove', message: /unknown command 'aprove'/, hint: /Did you mean approve\?/ },
  { line: 'xyz', message: /unknown command 'xyz'/, hint: /See: kubectl fleet --help/ },
  { line: 'help plans', message: /Usage: kubectl fleet/, hint: /approve/ },
  { line: 'approve', message: /approve what\?/, hint: /approve --help/ },
  { line: 'approve plan', message: /which plan\?/, hint: /kubectl get plans/ },
  { line: 'approve story', message: /which story\?/, hint: /kubectl get stories/ },
  { line: 'approve stoy s', message: /what is "stoy"\?/, hint: /Did you mean story\?/ },
  { line: 'approve task t', message: /takes plan or story, then a name/, hint: /approve --help/ },
  { line: 'approve plan a b', message: /one plan at a time/, hint: /--help/ },
  { line: 'approve story s', message: /which gate/, hint: /scope \| test \| docs/ },
  { line: 'approve story s --gate scop', message: /'scop' is invalid\. It is one of scope, test, docs/, hint: /approve --help/ },
  { line: 'approve story s --gate design', message: /the design gate is the approval of a Plan/, hint: /approve plan NAME/ },
  { line: 'approve plan p --gate scope', message: /a Plan has no gate/, hint: /approve plan p/ },
  { line: 'reject plan p', message: /a rejection needs a reason/, hint: /--reason/ },
  { line: 'reject plan p --reason=', message: /a rejection needs a reason/, hint: /--reason/ },
  { line: 'logs', message: /logs what\?/, hint: /--help/ },
  { line: 'logs plan p', message: /takes story or task, then a name/, hint: /logs --help/ },
  { line: 'logs task t --attempt 0', message: /'0' is invalid\. Attempts count from 1: --attempt 2/, hint: /logs --help/ },
  { line: 'logs task t --attempt one', message: /'one' is invalid\. Attempts count from 1/, hint: /logs --help/ },
  { line: 'logs task t --evidence -f', message: /'--evidence' cannot be used with option '-f, --follow'/, hint: /logs --help/ },
  { line: 'logs task t --folow', message: /unknown option '--folow'/, hint: /Did you mean --follow\?/ },
  { line: 'logs task t --step', message: /argument missing/, hint: /logs --help/ },
  { line: 'replay', message: /replay what\? Say deliberation and a name/, hint: /replay --help/ },
  { line: 'replay story s', message: /takes deliberation, then a name/, hint: /replay --help/ },
  { line: 'replay deliberation', message: /which deliberation\?/, hint: /kubectl get deliberations/ },
  { line: 'transcript deliberation a b', message: /one deliberation at a time/, hint: /transcript --help/ },
  { line: 'transcript dlb/d --out f', message: /unknown option '--out'/, hint: /transcript --help/ },
  { line: 'completion tcsh', message: /Allowed choices are bash, zsh, fish, kubectl/, hint: /completion --help/ },
  { line: 'version 2', message: /too many arguments/, hint: /--help/ },
];

describe('the command line', () => {
  it.each(understood)('understands "$line"', async ({ line, want }) => {
    const { code, requests, complaints } = await run(line);
    expect({ code, requests, complaints }).toEqual({ code: 0, requests: [want], complaints: [] });
  });

  it.each(refused)('refuses "$line", says what to do, and ends with 2', async ({ line, message, hint }) => {
    const { code, requests, out, complaints } = await run(line);
    expect({ code, requests, out }).toEqual({ code: 2, requests: [], out: '' });
    expect(complaints[0]).toMatch(message);
    expect(complaints.join('\n')).toMatch(hint);
  });

  it.each([
    { line: '', want: /^Usage: kubectl fleet \[options\] \[command\]\n[^]*Examples:/ },
    { line: '--help', want: /^Usage: kubectl fleet / },
    { line: 'help approve', want: /^Usage: kubectl fleet approve plan NAME[^]*--gate <gate>[^]*--namespace <namespace>/ },
    { line: 'tree -h', want: /^Usage: kubectl fleet tree [^]*--watch/ },
    { line: 'replay -h', want: /^Usage: kubectl fleet replay deliberation NAME/ },
    { line: 'help transcript', want: /^Usage: kubectl fleet transcript deliberation NAME[^]*--no-texts[^]*--gateway-namespace/ },
    { line: '--version', want: /^kubectl-fleet \d+\.\d+\.\d+\n$/ },
    { line: 'version', want: /^kubectl-fleet \d+\.\d+\.\d+\n$/ },
    { line: 'completion zsh', want: /^#compdef kubectl-fleet\n/ },
    { line: '__complete approve plan c', want: /^cart\n:4\n$/ },
  ])('prints what "$line" asks for, and ends with 0', async ({ line, want }) => {
    const { code, requests, out, complaints } = await run(line);
    expect({ code, requests, complaints }).toEqual({ code: 0, requests: [], complaints: [] });
    expect(out).toMatch(want);
  });

  it('has colours in its help only where the terminal has', async () => {
    expect((await run('--help', coloured)).out).toContain('\u001b[1mOptions:\u001b[22m');
    expect((await run('--help', plain)).out).not.toContain('\u001b');
    expect((await run('help plans', coloured)).complaints.join('')).not.toContain('\u001b');
  });
});
