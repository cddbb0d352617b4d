// What a person can ask for, as plain data: the command tree makes these, the commands carry them out.

import type { APPROVAL_GATES } from '../crds/kinds/story.ts';

/** Which cluster, and where in it; undefined means as kubectl would. */
export interface Place {
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
  readonly namespace?: string | undefined;
}

/** The design gate is the approval of a Plan. */
export type Gate = (typeof APPROVAL_GATES)[number];

export type Target =
  { readonly kind: 'plan'; readonly name: string } | { readonly kind: 'story'; readonly name: string; readonly gate: Gate };

export interface VerdictRequest {
  readonly verb: 'approve' | 'reject';
  readonly place: Place;
  readonly target: Target;
  readonly reason?: string | undefined;
  /** Ask nothing. */
  readonly yes: boolean;
}

export interface TreeRequest {
  readonly place: Place;
  /** Undefined: all Stories of the namespace. */
  readonly story?: string | undefined;
  readonly watch: boolean;
}

export interface LogsRequest {
  readonly place: Place;
  readonly kind: 'story' | 'task';
  readonly name: string;
  readonly attempt?: number | undefined;
  readonly step?: string | undefined;
  readonly follow: boolean;
  /** Print the evidence of the attempts instead of logs. */
  readonly evidence: boolean;
  readonly gatewayNamespace?: string | undefined;
}

export interface ReplayRequest {
  readonly place: Place;
  /** Of a Deliberation. */
  readonly name: string;
}

export interface TranscriptRequest {
  readonly place: Place;
  /** Of a Deliberation. */
  readonly name: string;
  /** Fetch what the agents wrote from the gateway. */
  readonly texts: boolean;
  readonly gatewayNamespace?: string | undefined;
}
