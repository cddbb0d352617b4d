// Runs one of the project's TypeScript programs with everything it needs: `node scripts/with-setup.mjs PROGRAM.ts [args]`.
// Plain JavaScript for Node >= 20 without packages, as it is what installs them. May: run `npm ci`, start the program. Nothing else.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { constants } from 'node:os';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bin = join(root, 'node_modules', '.bin');
const stamp = join(root, 'node_modules', '.installed-lock-digest');
const [program, ...args] = process.argv.slice(2);

const [major] = process.versions.node.split('.').map(Number);
if (major < 20)
  fail(
    `Node 20 or newer is needed to start, this is ${process.version}: install a current Node (https://nodejs.org) and run the command again.`,
  );
if (!program) fail('usage: node scripts/with-setup.mjs PROGRAM.ts [args]');
installPackages();
startProgram();

function installPackages() {
  const digest = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(join(bin, 'node')) && existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return;
  const startedAt = Date.now();
  process.stderr.write('setup: installing npm packages (npm ci) …\n');
  // The packages run on the Node 24 among them, so a warning that the Node of this machine is older says nothing.
  const done = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (done.status !== 0)
    fail('npm ci failed (see above): check the network or the npm registry setting, then run the command again.');
  writeFileSync(stamp, digest);
  process.stderr.write(`setup: npm packages installed in ${((Date.now() - startedAt) / 1000).toFixed(1)} s\n`);
}

function startProgram() {
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH ?? ''}` };
  const child = spawn(join(bin, 'node'), [join(root, program), ...args], { cwd: root, env, stdio: 'inherit' });
  // A terminal sends Ctrl-C to the whole group, so the program has it already; what reaches only this process is passed on.
  process.on('SIGINT', () => undefined);
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => fail(`cannot start ${program}: ${error.message}`));
  child.on('exit', (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : (code ?? 1)));
}

function fail(message) {
  process.stderr.write(`swe-fleet: ${message}\n`);
  process.exit(1);
}
