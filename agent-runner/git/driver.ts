// Calls git with an argv and an environment that is built here from nothing, so that neither the container, the repository nor the
// agent configures it: no hooks, no global or system configuration, https only, no prompts. Credentials travel in the environment.
import { execFile } from 'node:child_process';

export interface GitRemote {
  readonly url: string;
  /** Sent as the password of HTTP Basic; read anew for each call. */
  readonly token: () => Promise<string>;
  readonly caFile: string;
}

export interface GitOptions {
  readonly gitDir: string;
  readonly workTree?: string;
  readonly indexFile?: string;
  /** New objects go here; `alternates` are read besides. */
  readonly objectDirectory?: string;
  readonly alternates?: string;
  readonly remote?: GitRemote;
  readonly stdin?: string | Buffer;
  readonly timeoutMs?: number;
  readonly maxBytes?: number;
  /** Author and committer, both, and both dates (RFC 3339). */
  readonly identity?: { readonly name: string; readonly email: string; readonly date: string };
}

export interface GitResult {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** git ended in a way that the caller did not expect. */
export class GitFailed extends Error {
  readonly result: GitResult;

  constructor(argv: readonly string[], result: GitResult) {
    super(`git ${argv[0] ?? ''} ended with ${result.code}: ${result.stderr.trim().slice(-600)}`);
    this.name = 'GitFailed';
    this.result = result;
  }
}

/** git was ended by us, as it took too long or said too much. */
export class GitInterrupted extends Error {
  readonly limit: 'time' | 'output';

  constructor(argv: readonly string[], limit: 'time' | 'output', options: ErrorOptions) {
    super(`git ${argv[0] ?? ''} was ended: too much ${limit}`, options);
    this.name = 'GitInterrupted';
    this.limit = limit;
  }
}

const DEFAULT_TIMEOUT_MS = 300_000;
const DEFAULT_MAX_BYTES = 64 * 1024 * 1024;

export class Git {
  readonly #path: string;

  /** `path` is the PATH under which git is found. */
  constructor(path: string) {
    this.#path = path;
  }

  /** Any exit code is data; throws `GitInterrupted` when git ran out of time or said too much, and when it could not run at all. */
  async try(argv: readonly string[], options: GitOptions): Promise<GitResult> {
    const env = await environment(this.#path, options);
    return new Promise((resolve, reject) => {
      const child = execFile(
        'git',
        argv,
        {
          env,
          cwd: options.workTree ?? options.gitDir,
          encoding: 'buffer',
          timeout: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
          killSignal: 'SIGKILL',
          maxBuffer: options.maxBytes ?? DEFAULT_MAX_BYTES,
        },
        (error, stdout, stderr) => {
          const code = error === null ? 0 : error.code;
          if (typeof code === 'number') resolve({ code, stdout, stderr: stderr.toString('utf8') });
          else
            reject(
              new Error(`git ${argv[0] ?? ''} did not run to its end: ${error?.signal ?? code ?? 'unknown'}`, { cause: error }),
            );
        },
      );
      child.stdin?.on('error', () => undefined); // git may end before it has read everything; its exit code says why
      child.stdin?.end(options.stdin ?? '');
    });
  }

  /** Throws `GitFailed` unless git ends with 0. */
  async run(argv: readonly string[], options: GitOptions): Promise<Buffer> {
    const result = await this.try(argv, options);
    if (result.code !== 0) throw new GitFailed(argv, result);
    return result.stdout;
  }

  async line(argv: readonly string[], options: GitOptions): Promise<string> {
    return (await this.run(argv, options)).toString('utf8').trim();
  }
}

const environment = async (path: string, options: GitOptions): Promise<Record<string, string>> => {
  const { remote, identity } = options;
  const settings: (readonly [string, string])[] = [
    ['core.hooksPath', '/dev/null'],
    ['core.fsmonitor', 'false'],
    ['core.attributesFile', '/dev/null'],
    ['core.excludesFile', '/dev/null'],
    ['protocol.allow', 'never'],
    ['protocol.https.allow', 'always'],
    ['safe.directory', '*'],
    ['gc.auto', '0'],
    ['maintenance.auto', 'false'],
    ['commit.gpgSign', 'false'],
    ['submodule.recurse', 'false'],
    ['core.symlinks', 'true'],
  ];
  if (remote !== undefined) {
    const basic = Buffer.from(`fleet:${await remote.token()}`).toString('base64');
    settings.push(['http.extraHeader', `Authorization: Basic ${basic}`], ['http.sslCAInfo', remote.caFile]);
    settings.push(
      ['http.followRedirects', 'false'],
      ['http.proxy', ''],
      ['http.lowSpeedLimit', '1'],
      ['http.lowSpeedTime', '60'],
    );
  }
  const env: Record<string, string> = {
    PATH: path,
    LC_ALL: 'C',
    HOME: '/nonexistent',
    XDG_CONFIG_HOME: '/nonexistent',
    GIT_DIR: options.gitDir,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: '/bin/false',
    GIT_PAGER: 'cat',
    GIT_EDITOR: '/bin/false',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_LITERAL_PATHSPECS: '1',
    GIT_CONFIG_COUNT: String(settings.length),
  };
  for (const [index, [key, value]] of settings.entries()) {
    env[`GIT_CONFIG_KEY_${index}`] = key;
    env[`GIT_CONFIG_VALUE_${index}`] = value;
  }
  if (options.workTree !== undefined) env['GIT_WORK_TREE'] = options.workTree;
  if (options.indexFile !== undefined) env['GIT_INDEX_FILE'] = options.indexFile;
  if (options.objectDirectory !== undefined) env['GIT_OBJECT_DIRECTORY'] = options.objectDirectory;
  if (options.alternates !== undefined) env['GIT_ALTERNATE_OBJECT_DIRECTORIES'] = options.alternates;
  if (identity !== undefined) {
    for (const who of ['AUTHOR', 'COMMITTER']) {
      env[`GIT_${who}_NAME`] = identity.name;
      env[`GIT_${who}_EMAIL`] = identity.email;
      env[`GIT_${who}_DATE`] = identity.date;
    }
  }
  return env;
};
