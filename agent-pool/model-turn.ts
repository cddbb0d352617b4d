// The real port that asks the model: agent/turns/ renders the prompt and reads the answer, through the gateway's connections and this pod's token.
// May: adapt the one to the other. May not: decide anything.

import type { Dispatcher } from 'undici';
import { gatewayModel } from '../agent/model.ts';
import { DEFAULT_TEMPLATES, PROMPTS_VERSION } from '../agent/turns/templates.ts';
import { takeTurn } from '../agent/turns/turn.ts';
import type { TakeTurn } from './take-turn.ts';

export interface ModelAccess {
  /** To the gateway; asked for each call, as its CA may be replaced. */
  readonly dispatcher: () => Dispatcher;
  readonly token: () => Promise<string>;
}

export interface ModelTurn {
  readonly takeTurn: TakeTurn;
  /** Version of the templates that prompts are made from. */
  readonly prompts: string;
}

/** Once: who takes the turn waits and asks again by itself, for as long as somebody waits for the answer. */
const TRIES = 1;

export const makeModelTurn = ({ dispatcher, token }: ModelAccess): ModelTurn => ({
  prompts: PROMPTS_VERSION,
  takeTurn: async ({ brief, texts, modelUrl, deadlineMs, signal }) => {
    const { model, temperature, maxTokens } = brief.terms;
    const place = { baseUrl: modelUrl, dispatcher: dispatcher(), token, model, temperature: Number(temperature), maxTokens };
    const ports = { model: gatewayModel({ ...place, maxTries: TRIES }), remainingMs: () => deadlineMs - Date.now(), signal };
    const end = await takeTurn({ brief, texts, templates: DEFAULT_TEMPLATES }, ports);
    signal.throwIfAborted();
    return end;
  },
});
