// kubectl and helm for demo and tests, as real programs with a person's own kubeconfig.
import { join } from 'node:path';
import { attempt, CommandError, type CommandEnd } from '../cluster/command.ts';

export interface Kubectl {
  /** Standard output. @throws {CommandError} on any other end than 0 */
  (...args: readonly string[]): Promise<string>;
  attempt(...args: readonly string[]): Promise<CommandEnd>;
  /** `kubectl apply -f -` of objects or YAML text. */
  apply(manifest: object | readonly object[] | string, ...args: readonly string[]): Promise<string>;
  json<T>(...args: readonly string[]): Promise<T>;
}

export const kubectlWith = (binDir: string, kubeconfig: string): Kubectl => {
  const program = join(binDir, 'kubectl');
  const start = async (args: readonly string[], input?: string): Promise<CommandEnd> =>
    attempt([program, '--kubeconfig', kubeconfig, ...args], { env: process.env, ...(input !== undefined && { input }) });
  const text = async (args: readonly string[], input?: string): Promise<string> => {
    const end = await start(args, input);
    if (end.status !== 0) throw new CommandError(['kubectl', ...args], end);
    return end.stdout;
  };
  const kubectl = async (...args: readonly string[]): Promise<string> => text(args);
  return Object.assign(kubectl, {
    attempt: (...args: readonly string[]) => start(args),
    apply: (manifest: object | readonly object[] | string, ...args: readonly string[]) =>
      text(['apply', '-f', '-', ...args], asList(manifest)),
    json: async <T>(...args: readonly string[]): Promise<T> => JSON.parse(await text([...args, '-o', 'json'])) as T,
  });
};

const asList = (manifest: object | readonly object[] | string): string => {
  if (typeof manifest === 'string') return manifest;
  const items = Array.isArray(manifest) ? (manifest as readonly object[]) : [manifest];
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
};
