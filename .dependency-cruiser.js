// The top-level folders are the architecture; arrows point one way: crds <- controllers <- operator.
/** @type {(name: string, from: string, to: string, comment: string) => object} */
const forbid = (name, from, to, comment) => ({
  name,
  severity: 'error',
  comment,
  from: { path: from },
  to: { path: to, dependencyTypesNot: ['core'] },
});
const others = (...allowed) => `^(?!${allowed.map((a) => a + '/').join('|')}|node_modules/)[a-z-]+/`;

/** What in crds a room may not import. */
const inCrds = (...allowed) => `^crds/(?!${allowed.join('|')})`;

export default {
  forbidden: [
    {
      name: 'no-circular',
      severity: 'error',
      comment: 'two files that need each other at run time are one',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    forbid(
      'crds-alone',
      '^crds/',
      others('crds'),
      'crds holds contract types, canonical forms and digests; it imports nothing of ours',
    ),
    forbid('crds-kinds-alone', '^crds/kinds/', inCrds('kinds/'), 'kinds are the ground: nothing of ours below them'),
    forbid(
      'crds-vocabulary',
      '^crds/[a-z-]+\\.ts$',
      inCrds('kinds/', '[a-z-]+\\.ts$'),
      'names, labels and digests know the kinds alone',
    ),
    forbid('crds-plan-text', '^crds/plan-text/', inCrds('plan-text/', 'kinds/', '[a-z-]+\\.ts$'), 'plan text becomes a Plan'),
    forbid(
      'crds-contracts',
      '^crds/contracts/',
      inCrds('contracts/', 'kinds/', '[a-z-]+\\.ts$'),
      'contracts say what passes between processes, and decide nothing',
    ),
    forbid(
      'crds-rules',
      '^crds/rules/',
      inCrds('rules/', 'contracts/', 'kinds/', '[a-z-]+\\.ts$'),
      'rules judge kinds by contracts',
    ),
    forbid('controllers-only-crds', '^controllers/', others('controllers', 'crds'), 'controllers are pure and know only crds'),
    {
      name: 'controllers-no-io',
      severity: 'error',
      comment: 'controllers/ and crds/ do no I/O',
      from: { path: '^(controllers|crds)/' },
      to: { dependencyTypes: ['core'], path: '^(?!(node:)?crypto$)' },
    },
    {
      name: 'controllers-no-clients',
      severity: 'error',
      comment: 'controllers/ uses no client library',
      from: { path: '^controllers/' },
      to: { path: 'node_modules/(?!yaml/|picomatch/|zod/)' },
    },
    forbid('kube-only-machinery', '^kube/', others('kube', 'runtime', 'crds'), 'kube is a client without product logic'),
    forbid('runtime-only-crds', '^runtime/', others('runtime', 'crds'), 'runtime is machinery without product logic'),
    forbid(
      'agent-only-crds',
      '^agent/',
      others('agent', 'crds'),
      'what an agent is told and how a model is asked knows only crds',
    ),
    forbid(
      'operator-layers',
      '^operator/',
      others('operator', 'controllers', 'runtime', 'kube', 'crds'),
      'the operator is the shell around controllers',
    ),
    forbid(
      'gateway-layers',
      '^gateway/',
      others('gateway', 'agent', 'runtime', 'kube', 'crds'),
      'the gateway shares contracts, machinery and the context function',
    ),
    forbid(
      'runner-layers',
      '^agent-runner/',
      others('agent-runner', 'agent', 'runtime', 'crds'),
      'the runner does not know the API server',
    ),
    forbid(
      'agent-pool-layers',
      '^agent-pool/',
      others('agent-pool', 'agent', 'runtime', 'crds'),
      'the agent pool does not know the API server',
    ),
    forbid(
      'install-layers',
      '^install/',
      others('install', 'runtime', 'kube', 'crds'),
      'the hook shares the client and machinery',
    ),
    forbid('cli-layers', '^cli/', others('cli', 'runtime', 'kube', 'crds'), 'the CLI shares crds, kube and machinery'),
    forbid(
      'nothing-imports-operator',
      '^(?!operator/|test/)',
      '^operator/',
      'nothing imports operator; the bench runs its bundle',
    ),
    forbid(
      'nothing-imports-test',
      '^(?!test/|bench/)',
      '^test/',
      'nothing imports test but the bench, which runs on what tests run on',
    ),
    forbid('nothing-imports-bench', '^(?!bench/|test/)', '^bench/', 'the bench is a program'),
    forbid(
      'bench-measures-bundles',
      '^bench/',
      '^(gateway|agent|agent-runner|agent-pool|operator|cli|scripts)/',
      'what the bench measures are the bundles, as processes',
    ),
    forbid('images-alone', '^images/', others('images'), 'bundling knows paths, not code'),
    forbid('nothing-imports-scripts', '^(?!scripts/)', '^scripts/', 'scripts are programs'),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    exclude: { path: '(^|/)dist/' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
