// The answers to commands: `resolve` asks a Story's repository what its ref points to, `probe` tries a model endpoint. A failure is an
// answer too, with a reason and whether asking again may help.

import { timestamp } from '../../crds/time.ts';
import type { CommandAnswer, GatewayCommand, ProbeCommand, ResolveCommand } from '../../crds/contracts/commands.ts';
import { foundRow, modelUpstream, offersModel } from '../../crds/rules/platform-rows.ts';
import type { Refs } from '../git/shared-refs.ts';
import { Refusal } from '../http/refusal.ts';
import { errorFields, type Log } from '../../runtime/log.ts';
import type { EndpointProbe } from '../model/probe.ts';
import { matchRepository } from '../upstream/repository-url.ts';
import type { ClusterView } from '../cluster/cluster-view.ts';

export interface AnswerOptions {
  readonly view: ClusterView;
  readonly refs: Refs;
  readonly probe: EndpointProbe;
  readonly log: Log;
  readonly nowMs: () => number;
}

const RESOLVE_MS = 60_000;
const PROBE_MS = 150_000;

interface Failure {
  readonly reason: string;
  readonly message: string;
  readonly retryable: boolean;
}

const failure = (reason: string, message: string, retryable: boolean): Failure => ({ reason, message, retryable });

/** Reasons of refusals that only a person can remove. */
const LASTING = new Set([
  'RepositoryNotFound',
  'RepositoryDenied',
  'UpstreamMisconfigured',
  'UpstreamRefused',
  'UpstreamRedirects',
  'ModelRefused',
]);

const failureOf = (error: unknown): Failure =>
  error instanceof Refusal
    ? failure(error.code, error.message, !LASTING.has(error.code))
    : failure('InternalError', 'the gateway failed on this command', true);

export class CommandAnswers {
  readonly #options: AnswerOptions;

  constructor(options: AnswerOptions) {
    this.#options = options;
  }

  /** Never rejects. */
  readonly answer = async (command: GatewayCommand, signal: AbortSignal): Promise<CommandAnswer> => {
    const { log } = this.#options;
    try {
      const answer = await this.#succeed(command, signal);
      log.info('command answered', { id: command.id, ok: answer.ok, reason: answer.ok ? undefined : answer.reason });
      return answer;
    } catch (error) {
      const failed = failureOf(error);
      const detail = error instanceof Refusal ? error.detail : undefined;
      log.warn('command failed', { id: command.id, reason: failed.reason, detail, ...errorFields(error) });
      return this.#failed(command, failed);
    }
  };

  readonly giveUp = (command: GatewayCommand): CommandAnswer =>
    this.#failed(command, failure('GaveUp', 'the command was taken several times and never answered', true));

  #failed({ id, kind }: GatewayCommand, { reason, message, retryable }: Failure): CommandAnswer {
    return { id, kind, at: this.#at(), ok: false, reason, message: message.slice(0, 1_024), retryable };
  }

  #succeed(command: GatewayCommand, signal: AbortSignal): Promise<CommandAnswer> {
    switch (command.kind) {
      case 'resolve':
        return this.#resolve(command, AbortSignal.any([signal, AbortSignal.timeout(RESOLVE_MS)]));
      case 'probe':
        return this.#probe(command, AbortSignal.any([signal, AbortSignal.timeout(PROBE_MS)]));
    }
  }

  async #resolve(command: ResolveCommand, signal: AbortSignal): Promise<CommandAnswer> {
    const { view, refs } = this.#options;
    const story = view.story(command.storyUid);
    if (story === undefined || story.metadata.namespace !== command.namespace)
      return this.#failed(command, failure('StoryUnknown', 'the gateway has not seen this Story', true));
    const { url, ref } = story.spec.repository;
    const matched = matchRepository(url, command.namespace, view.platform.upstreams);
    if (!matched.ok) return this.#failed(command, failure('RepositoryNotListed', matched.message, false));
    const commit = await refs.commitAt(matched, ref, signal);
    if (commit === undefined)
      return this.#failed(command, failure('RefUnknown', `the repository has no branch or tag ${ref}`, false));
    return { id: command.id, kind: 'resolve', at: this.#at(), ok: true, commit };
  }

  async #probe(command: ProbeCommand, signal: AbortSignal): Promise<CommandAnswer> {
    const { endpoint, model, namespace } = command;
    const upstream = foundRow(modelUpstream(endpoint, namespace, this.#options.view.platform.upstreams));
    if (upstream === undefined)
      return this.#failed(
        command,
        failure('EndpointNotListed', `no model upstream ${endpoint} serves namespace ${namespace}`, false),
      );
    if (!offersModel(upstream, model))
      return this.#failed(
        command,
        failure('ModelNotAllowed', `the platform does not offer model ${model} on ${endpoint}`, false),
      );
    const { models, listed, toolCalls, structuredOutput } = await this.#options.probe.probe(upstream, model, signal);
    if (!listed)
      return this.#failed(
        command,
        failure('ModelNotListed', `the endpoint does not list model ${model} but ${some(models)}`, true),
      );
    return { id: command.id, kind: 'probe', at: this.#at(), ok: true, models: [...models], toolCalls, structuredOutput };
  }

  #at(): string {
    return timestamp(this.#options.nowMs());
  }
}

const some = (models: readonly string[]): string => (models.length === 0 ? 'none' : models.slice(0, 5).join(', ').slice(0, 300));
