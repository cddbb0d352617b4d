// What a script of the scripted model is: data, no behaviour.

/** One call of a tool. `raw` is sent as the arguments instead of JSON, to play a model that writes malformed calls. */
export interface ScriptedCall {
  readonly tool: string;
  readonly args?: Readonly<Record<string, unknown>>;
  readonly raw?: string;
}

export type Fault =
  | { readonly kind: 'status'; readonly status: number; readonly times: number }
  /** The connection is cut in the middle of the answer. */
  | { readonly kind: 'cut'; readonly times: number };

/** One answer of the model. Without `calls` it ends the conversation. */
export interface ScriptedStep {
  readonly say?: string;
  readonly calls?: readonly ScriptedCall[];
  /** Waits before it answers. */
  readonly slowMs?: number;
  /** The first so many requests for this step go wrong; then it is played. */
  readonly fault?: Fault;
}

interface Play {
  /** The play is taken if this text stands in the conversation; the first play that fits is taken. */
  readonly when?: string;
  readonly steps: readonly ScriptedStep[];
}

/** Chosen by `[[script:<name>]]` in the conversation. */
export interface Script {
  readonly name: string;
  readonly plays: readonly Play[];
}

/** The model's only name: it says in every answer what it is. */
export const scriptedModelName = 'scripted-model-not-an-llm';
