// Turns on a real JetStream: each is answered once, whoever dies, waits or comes again.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { consumerName } from '../../../agent-pool/puller.ts';
import { sha256 } from '../../../crds/canonical.ts';
import { STREAMS } from '../../../crds/contracts/commands.ts';
import { turnCommandSubject, turnResultSubject, type TurnCommand } from '../../../crds/contracts/turns.ts';
import { given, POLL, slowModel, standIn, startStage, type Stage } from './stage.ts';

const NOTHING_LEFT = { inHand: 0, pending: 0 };

const isMany = (times: number): boolean => times >= 9;

describe('the agent pool', () => {
  let stage: Stage;

  beforeEach(async () => {
    stage = await startStage();
  });
  afterEach(async () => stage.close());

  const nothingIsLeft = (endpoint = 'one') => expect.poll(() => stage.left(endpoint), POLL).toMatchObject(NOTHING_LEFT);

  it('answers a turn with what the model said of its texts, and keeps the text', async () => {
    const gateway = standIn();
    const first = 'the proposal of somebody';
    gateway.texts.set(sha256(first), first);
    const model = slowModel();
    const { pool, metric } = await stage.replica({ takeTurn: model.takeTurn, gateway });
    const command = stage.command({ inputs: [{ label: 'A', digest: sha256(first) }] });
    await stage.send(command);
    await expect
      .poll(() => model.asked.map(({ texts, modelUrl }) => ({ texts, modelUrl })), POLL)
      .toEqual([{ texts: [{ label: 'A', text: first }], modelUrl: `model of ${command.id}` }]);
    expect(await metric('turns_at_work')).toBe(1);
    const choice = { label: 'A', rationale: 'r', dissent: '' };
    model.answer(command.id, { ...given('mine'), checks: { policy: { passed: true, errors: 0, warnings: 0 } }, choice });
    const result = await stage.answered(command);
    expect(result).toMatchObject({
      id: command.id,
      ok: true,
      agent: 'agent-dev-001',
      model: 'm',
      tokens: 7,
      prompts: 'v1',
      choice,
    });
    expect(gateway.texts.get(sha256('mine'))).toBe('mine');
    expect(result).toMatchObject({ digest: sha256('mine'), context: sha256('context') });
    await nothingIsLeft();
    expect(await metric('turns_total{endpoint="one",kind="Proposal",outcome="answered"')).toBe(1);
    expect(pool.healthPort).toBeGreaterThan(0);
  });

  it('leaves a turn to another replica when it dies with it in hand, and one answer is stored', async () => {
    const [dying, living] = [slowModel(), slowModel()];
    const first = await stage.replica({ takeTurn: dying.takeTurn });
    const command = stage.command();
    await stage.send(command);
    await expect.poll(() => dying.asked.length, POLL).toBe(1);
    await first.kill();
    const second = await stage.replica({ takeTurn: living.takeTurn });
    await expect.poll(() => living.asked.length, POLL).toBe(1);
    living.answer(command.id, given('of the living'));
    expect(await stage.answered(command)).toMatchObject({ ok: true, digest: sha256('of the living') });
    // too late, and nobody hears it
    dying.answer(command.id, given('of the dead'));
    await nothingIsLeft();
    expect(second.outcomes()).toEqual(['answered']);
    expect(await second.metric('turn_redeliveries_total')).toBe(1);
    await first.pool.stop(0);
  });

  it('does not ask a model again for a turn that is answered', async () => {
    const command = stage.command();
    const subject = turnResultSubject(command.rootUid, command.id);
    await stage.link.publish({ subject, data: JSON.stringify({ by: 'another' }) });
    const model = slowModel();
    const { outcomes } = await stage.replica({ takeTurn: model.takeTurn });
    await stage.send(command);
    await expect.poll(outcomes, POLL).toEqual(['repeated']);
    await nothingIsLeft();
    expect(model.asked).toEqual([]);
  });

  it('counts an answer that was there before its own as the answer', async () => {
    const model = slowModel();
    const { outcomes } = await stage.replica({ takeTurn: model.takeTurn });
    const command = stage.command();
    await stage.send(command);
    await expect.poll(() => model.asked.length, POLL).toBe(1);
    const subject = turnResultSubject(command.rootUid, command.id);
    await stage.link.publish({ subject, data: JSON.stringify({ by: 'another' }) });
    model.answer(command.id);
    await expect.poll(outcomes, POLL).toEqual(['repeated']);
    await nothingIsLeft();
  });

  it('asks once for a turn that is asked for twice', async () => {
    const model = slowModel();
    const { outcomes } = await stage.replica({ takeTurn: model.takeTurn });
    const command = stage.command();
    await stage.send(command);
    await expect.poll(() => model.asked.length, POLL).toBe(1);
    await stage.send(command);
    model.answer(command.id);
    await stage.answered(command);
    await stage.send(command);
    // what is asked for after both has passed them by
    const after = stage.command();
    await stage.send(after);
    await expect.poll(() => model.asked.length, POLL).toBe(2);
    model.answer(after.id);
    await stage.answered(after);
    expect(outcomes()).toEqual(['answered', 'answered']);
  });

  it('answers that a turn failed when it came once more than it may be begun', async () => {
    const takeTurn = async (): Promise<never> => {
      throw new Error('nobody knows why');
    };
    const { outcomes } = await stage.replica({ takeTurn }, { deliveries: 2 });
    const command = stage.command();
    await stage.send(command);
    expect(await stage.answered(command)).toMatchObject({ ok: false, reason: 'GaveUp', tokens: 0 });
    await nothingIsLeft();
    expect(outcomes()).toEqual(['broken', 'broken', 'failed']);
  });

  it('answers what an agent did wrong, and a text that is lost, as failures', async () => {
    const { outcomes } = await stage.replica({
      takeTurn: async () => ({ ok: false, reason: 'NoScores', message: 'none', tokens: 3 }),
    });
    const [wrong, lost] = [stage.command(), stage.command({ inputs: [{ label: 'A', digest: sha256('gone') }] })];
    await stage.send(wrong);
    expect(await stage.answered(wrong)).toMatchObject({ ok: false, reason: 'NoScores', tokens: 3, agent: 'agent-dev-001' });
    await stage.send(lost);
    expect(await stage.answered(lost)).toMatchObject({ ok: false, reason: 'ArtifactLost', tokens: 0 });
    await expect.poll(outcomes, POLL).toEqual(['failed', 'failed']);
  });

  it('answers what its readers would not understand as a failure that they do', async () => {
    const scores = [{ label: 'A', points: [1_001] }];
    await stage.replica({ takeTurn: async () => ({ ...given('x'), scores }) });
    const command = stage.command();
    await stage.send(command);
    expect(await stage.answered(command)).toMatchObject({ ok: false, reason: 'AnswerInvalid', tokens: 7 });
  });

  it('drops a turn that nobody waits for', async () => {
    const model = slowModel();
    const gateway = standIn({ brief: async () => ({ kind: 'over', code: 'DeliberationEnded' }) });
    const { outcomes } = await stage.replica({ takeTurn: model.takeTurn, gateway });
    const command = stage.command();
    await stage.send(command);
    await expect.poll(outcomes, POLL).toEqual(['dropped']);
    await nothingIsLeft();
    expect([model.asked, await stage.resultOf(command)]).toEqual([[], undefined]);
  });

  it('drops what is no turn, or not that of its subject', async () => {
    const model = slowModel();
    const { log } = await stage.replica({ takeTurn: model.takeTurn });
    const [forged, other] = [stage.command(), stage.command()];
    await stage.link.publish({ subject: turnCommandSubject(forged), data: JSON.stringify(other) });
    await stage.link.publish({ subject: 'fleet.turn.cmd.one.normal.x.1', data: 'no JSON' });
    await expect.poll(() => log.lines.filter(({ message }) => message === 'command not understood').length, POLL).toBe(2);
    await nothingIsLeft();
    expect(model.asked).toEqual([]);
  });

  it('waits for a model that is busy, which is nobody’s failure and costs no delivery', async () => {
    let asked = 0;
    const takeTurn = async () => ((asked += 1) < 3 ? { later: 'busy', afterMs: 1 } : given('at last'));
    const { outcomes, metric } = await stage.replica({ takeTurn }, { deliveries: 1 });
    const command = stage.command();
    await stage.send(command);
    expect(await stage.answered(command)).toMatchObject({ ok: true });
    await nothingIsLeft();
    expect([outcomes(), await metric('turn_waits_total{endpoint="one",whom="model"')]).toEqual([['answered'], 2]);
    expect((await stage.left('one')).again).toBe(0);
  });

  it('gives a turn up in silence when its time is over', async () => {
    const model = slowModel();
    const { outcomes } = await stage.replica({ takeTurn: model.takeTurn });
    const [past, busy] = [stage.command({ deadlineMs: Date.now() - 1 }), stage.command({ deadlineMs: Date.now() + 1_500 })];
    await stage.send(past);
    await expect.poll(outcomes, POLL).toEqual(['late']);
    await stage.send(busy);
    await expect.poll(outcomes, POLL).toEqual(['late', 'late']);
    await nothingIsLeft();
    expect(await Promise.all([past, busy].map((command) => stage.resultOf(command)))).toEqual([undefined, undefined]);
    expect(model.asked.every(({ brief }) => brief.id === busy.id)).toBe(true);
  });

  it('keeps a slow turn by saying that it is at work, also while it waits for a slot', async () => {
    const model = slowModel();
    const { metric } = await stage.replica({ takeTurn: model.takeTurn }, { endpoints: [{ name: 'one', slots: 1 }] });
    const [slow, waiting, behind] = [stage.command(), stage.command(), stage.command()];
    for (const command of [slow, waiting, behind]) await stage.send(command);
    await expect.poll(() => model.asked.length, POLL).toBe(1);
    await expect.poll(() => metric('turns_waiting'), POLL).toBe(1);
    // each says so three times in the time for which a silent worker would keep it
    const said = await stage.saidWorking();
    await expect.poll(said, POLL).toEqual([expect.toSatisfy(isMany), expect.toSatisfy(isMany)]);
    expect(await stage.left('one')).toEqual({ inHand: 2, pending: 1, again: 0 });
    for (const command of [slow, waiting, behind]) {
      await expect.poll(() => model.asked.at(-1)?.brief.id, POLL).toBe(command.id);
      model.answer(command.id);
      await stage.answered(command);
    }
    await nothingIsLeft();
  });

  it('lets high go before normal before low, and yet none of them starves', async () => {
    const order: string[] = [];
    const model = slowModel();
    const all: TurnCommand[] = [];
    for (const priority of ['low', 'normal', 'high'] as const)
      for (let n = 0; n < 12; n += 1) all.push(stage.command({ priority }));
    const blocker = stage.command();
    await stage.replica(
      {
        takeTurn: async (turn) => {
          if (turn.brief.id === blocker.id) return model.takeTurn(turn);
          order.push(all.find(({ id }) => id === turn.brief.id)?.priority ?? '?');
          return given('x');
        },
      },
      { endpoints: [{ name: 'one', slots: 1 }] },
    );
    await stage.send(blocker);
    await expect.poll(() => model.asked.length, POLL).toBe(1);
    for (const command of all) await stage.send(command);
    await expect.poll(() => stage.left('one'), POLL).toMatchObject({ inHand: 4, pending: 33 });
    model.answer(blocker.id);
    for (const command of all) await stage.answered(command);
    const firstEight = order.slice(0, 7);
    expect(firstEight.filter((priority) => priority === 'high')).toHaveLength(5);
    expect(firstEight).toContain('low');
    expect(order.slice(0, 16).filter((priority) => priority === 'low').length).toBeGreaterThanOrEqual(2);
  });

  it('gives back what does not end in time, and another replica takes it at once', async () => {
    const [leaving, staying] = [slowModel(), slowModel()];
    const slots = { endpoints: [{ name: 'one', slots: 2 }], ackWaitMs: 600_000 };
    const first = await stage.replica({ takeTurn: leaving.takeTurn }, slots);
    const [ending, unfinished, waiting] = [stage.command(), stage.command(), stage.command()];
    for (const command of [ending, unfinished, waiting]) await stage.send(command);
    await expect.poll(() => leaving.asked.length, POLL).toBe(2);
    await expect.poll(() => first.metric('turns_waiting'), POLL).toBe(1);
    await stage.replica({ takeTurn: staying.takeTurn }, slots);
    const stopped = first.pool.stop(3_000);
    // what waits is given back before anything has ended, and nothing else begins here
    await expect.poll(() => staying.asked.map(({ brief }) => brief.id), POLL).toEqual([waiting.id]);
    leaving.answer(ending.id);
    await stage.answered(ending);
    await stopped;
    expect(first.outcomes()).toEqual(['answered', 'returned']);
    await expect.poll(() => staying.asked.map(({ brief }) => brief.id), POLL).toEqual([waiting.id, unfinished.id]);
    for (const { id } of [waiting, unfinished]) staying.answer(id);
    for (const command of [waiting, unfinished]) expect(await stage.answered(command)).toMatchObject({ ok: true });
    expect(leaving.asked).toHaveLength(2);
  });

  it('gives a turn that only waits back at once when it is to end', async () => {
    const takeTurn = async () => ({ later: 'down' });
    const first = await stage.replica({ takeTurn }, { ackWaitMs: 600_000 });
    const command = stage.command();
    await stage.send(command);
    await expect.poll(() => first.metric('turn_waits_total'), POLL).toBeGreaterThan(0);
    await first.pool.stop(600_000);
    expect(first.outcomes()).toEqual(['returned']);
    await stage.replica({ takeTurn: async () => given('x') });
    expect(await stage.answered(command)).toMatchObject({ ok: true });
  });

  it('goes on with what it has in hand when NATS is started anew', async () => {
    const model = slowModel();
    const { outcomes, readiness } = await stage.replica({ takeTurn: model.takeTurn });
    const command = stage.command();
    await stage.send(command);
    await expect.poll(() => model.asked.length, POLL).toBe(1);
    await stage.nats.kill();
    await expect.poll(readiness, POLL).toContain('JetStream is not connected');
    model.answer(command.id);
    await stage.nats.start();
    expect(await stage.answered(command)).toMatchObject({ ok: true });
    await expect.poll(readiness, POLL).toBe('200 ok\n');
    await nothingIsLeft();
    expect(model.asked).toHaveLength(1);
    expect(outcomes()[0]).toBe('answered');
  });

  it('opens its consumers anew when NATS comes back empty', async () => {
    const { readiness } = await stage.replica({ takeTurn: async () => given('x') });
    const before = stage.command();
    await stage.send(before);
    await stage.answered(before);
    await stage.nats.wipe();
    await stage.nats.start();
    await stage.link.connected(new AbortController().signal);
    const after = stage.command();
    await expect.poll(() => stage.send(after).then(() => 'sent', String), POLL).toBe('sent');
    expect(await stage.answered(after)).toMatchObject({ ok: true });
    await expect.poll(readiness, POLL).toBe('200 ok\n');
  });

  it('notices that a consumer has vanished, and makes it anew', async () => {
    const { log } = await stage.replica({ takeTurn: async () => given('x') });
    const { manager } = await stage.link.session();
    await manager.consumers.delete(STREAMS.commands.name, consumerName('one', 'normal'));
    const command = stage.command();
    await stage.send(command);
    expect(await stage.answered(command)).toMatchObject({ ok: true });
    expect(log.lines.map(({ message }) => message)).toContain('turns are not taken, trying again');
  });

  it('notices that the stream has vanished, and goes on once it is back', async () => {
    await stage.replica({ takeTurn: async () => given('x') });
    const { manager } = await stage.link.session();
    const { config } = await manager.streams.info(STREAMS.commands.name);
    await manager.streams.delete(STREAMS.commands.name);
    await manager.streams.add({ ...config, name: STREAMS.commands.name });
    const command = stage.command();
    await stage.send(command);
    expect(await stage.answered(command)).toMatchObject({ ok: true });
  });

  it('serves the endpoints of a new table, and no others', async () => {
    const model = slowModel();
    const { pool, readiness, metric } = await stage.replica(
      { takeTurn: model.takeTurn },
      { endpoints: [{ name: 'one', slots: 1 }] },
    );
    const [held, waiting] = [stage.command(), stage.command()];
    await stage.send(held);
    await expect.poll(() => model.asked.length, POLL).toBe(1);
    await stage.send(waiting);
    await expect.poll(() => metric('turns_waiting'), POLL).toBe(1);
    pool.serve([{ name: 'one', slots: 2 }]);
    await expect.poll(() => model.asked.length, POLL).toBe(2);
    pool.serve([{ name: 'two', slots: 1 }]);
    const other = stage.command({ endpoint: 'two' });
    await expect.poll(readiness, POLL).toBe('200 ok\n');
    await stage.send(other);
    await expect.poll(() => model.asked.map(({ brief }) => brief.id), POLL).toEqual([held.id, waiting.id, other.id]);
    for (const { id } of [held, waiting, other]) model.answer(id);
    for (const command of [held, waiting, other]) await stage.answered(command);
  });
});
