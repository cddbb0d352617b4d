// What the CLI takes from its environment beside the kubeconfig, which the loader reads itself.

export interface CliConfig {
  readonly noColour: boolean;
  /** The kubectl that is asked for logs and port-forwards. */
  readonly kubectl: string;
}

export const readConfig = (env: Readonly<Record<string, string | undefined>> = process.env): CliConfig => ({
  noColour: (env['NO_COLOR'] ?? '') !== '',
  kubectl: env['KUBECTL'] === undefined || env['KUBECTL'] === '' ? 'kubectl' : env['KUBECTL'],
});
