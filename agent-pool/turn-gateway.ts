// What a turn needs of the gateway: the port. gateway-client.ts has the real one.

import type { Digest } from '../crds/canonical.ts';
import type { TurnBrief } from '../crds/contracts/turn-brief.ts';
import type { Later } from './take-turn.ts';

/** Nobody waits for the turn any more: its Deliberation is over, gone, or never asked for it. */
export interface Over {
  readonly kind: 'over';
  /** As the gateway says it. */
  readonly code: string;
}

export type BriefGiven = { readonly kind: 'brief'; readonly brief: TurnBrief } | Over | Later;
export type TextGiven =
  { readonly kind: 'text'; readonly text: string } | { readonly kind: 'lost'; readonly message: string } | Later;
export type TextTaken = { readonly kind: 'stored' } | { readonly kind: 'refused'; readonly message: string } | Over | Later;

/** All of them reject when the signal aborts, and otherwise for what nobody expects only. */
export interface TurnGateway {
  brief(turnId: string, signal: AbortSignal): Promise<BriefGiven>;
  /** Its digest is checked. */
  text(turnId: string, digest: string, signal: AbortSignal): Promise<TextGiven>;
  put(turnId: string, artifact: { readonly digest: Digest; readonly bytes: Buffer }, signal: AbortSignal): Promise<TextTaken>;
  /** Base URL of the OpenAI routes of that turn. */
  modelUrl(turnId: string): string;
}
