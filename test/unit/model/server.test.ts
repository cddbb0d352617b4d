// The scripted model as a client sees it, with the client that the product uses.
import { OpenAI } from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { toolsOfRole } from '../../../agent-runner/tools/toolbox.ts';
import { scripts } from '../../model/scripts/index.ts';
import { scriptedModelName, type Script } from '../../model/script.ts';
import { startScriptedModel, type ModelRequestLine, type ScriptedModel } from '../../model/server.ts';

const own: readonly Script[] = [
  {
    name: 'two-steps',
    plays: [
      { when: 'VerifyFailed', steps: [{ say: 'I know of the failure.' }] },
      {
        steps: [
          {
            say: 'First.',
            calls: [
              { tool: 'look', args: { at: 'x' } },
              { tool: 'bad', raw: '{' },
            ],
          },
          { say: 'Second.' },
        ],
      },
    ],
  },
  { name: 'trouble', plays: [{ steps: [{ fault: { kind: 'status', status: 429, times: 1 }, say: 'Well again.' }] }] },
  { name: 'cut', plays: [{ steps: [{ fault: { kind: 'cut', times: 1 }, say: 'Whole again, and long enough to be cut.' }] }] },
];

describe('the scripted model and its scripts', () => {
  let server: ScriptedModel;
  let client: OpenAI;
  const lines: ModelRequestLine[] = [];

  beforeAll(async () => {
    server = await startScriptedModel({ scripts: own, apiKey: 'key', onRequest: (line) => lines.push(line) });
    client = new OpenAI({ baseURL: server.url, apiKey: 'key', maxRetries: 0 });
  });
  afterAll(() => server.close());
  beforeEach(() => void (lines.length = 0));

  const user = (content: string) => ({ role: 'user' as const, content });
  const chat = async (content: string) => client.chat.completions.create({ model: scriptedModelName, messages: [user(content)] });

  describe('the scripted model', () => {
    it('says by its name what it is', async () => {
      expect((await client.models.list()).data.map((model) => model.id)).toEqual(['scripted-model-not-an-llm']);
      expect((await chat('x')).model).toBe('scripted-model-not-an-llm');
    });

    it('plays the script that the text names, step by step', async () => {
      const first = await chat('Do it. [[script:two-steps]]');
      expect(first.choices[0]).toMatchObject({
        finish_reason: 'tool_calls',
        message: {
          content: 'First.',
          tool_calls: [{ function: { name: 'look', arguments: '{"at":"x"}' } }, { function: { name: 'bad', arguments: '{' } }],
        },
      });
      expect(first.usage?.total_tokens).toBeGreaterThan(0);
      const second = await client.chat.completions.create({
        model: scriptedModelName,
        messages: [user('[[script:two-steps]]'), { role: 'assistant', content: 'First.' }],
      });
      expect(second.choices[0]).toMatchObject({ finish_reason: 'stop', message: { content: 'Second.' } });
      expect(lines.map((line) => line.played)).toEqual(['two-steps#0', 'two-steps#1']);
    });

    it('plays another part when the text tells of a failure', async () => {
      expect((await chat('[[script:two-steps]] ended with VerifyFailed')).choices[0]?.message.content).toBe(
        'I know of the failure.',
      );
    });

    it('streams the same answer in pieces, with the usage at the end', async () => {
      const stream = await client.chat.completions.create({
        model: scriptedModelName,
        messages: [user('[[script:two-steps]]')],
        stream: true,
        stream_options: { include_usage: true },
      });
      let text = '';
      let args = '';
      let tokens = 0;
      for await (const chunk of stream) {
        text += chunk.choices[0]?.delta.content ?? '';
        for (const call of chunk.choices[0]?.delta.tool_calls ?? []) if (call.index === 0) args += call.function?.arguments ?? '';
        tokens = chunk.usage?.total_tokens ?? tokens;
      }
      expect({ text, args, counted: tokens > 0 }).toEqual({ text: 'First.', args: '{"at":"x"}', counted: true });
    });

    it('fails as often as the script wants and is well then', async () => {
      await expect(chat('[[script:trouble]]')).rejects.toMatchObject({ status: 429 });
      expect((await chat('[[script:trouble]]')).choices[0]?.message.content).toBe('Well again.');
      await expect(chat('[[script:cut]]')).rejects.toThrow();
      expect((await chat('[[script:cut]]')).choices[0]?.message.content).toContain('Whole again');
    });

    it('answers the probes of a gateway: a tool call and an instance of a schema', async () => {
      const parameters = { type: 'object', properties: { word: { type: 'string', enum: ['ready'] } }, required: ['word'] };
      const call = await client.chat.completions.create({
        model: scriptedModelName,
        messages: [user('Call it.')],
        tools: [{ type: 'function', function: { name: 'probe', parameters } }],
      });
      expect(call.choices[0]?.message.tool_calls?.[0]).toMatchObject({
        function: { name: 'probe', arguments: '{"word":"ready"}' },
      });
      const schema = {
        type: 'object',
        properties: { ok: { type: 'boolean' }, count: { type: 'integer', minimum: 3 } },
        required: ['ok', 'count'],
      };
      const structured = await client.chat.completions.create({
        model: scriptedModelName,
        messages: [user('Fill it.')],
        response_format: { type: 'json_schema', json_schema: { name: 'probe', schema } },
      });
      expect(JSON.parse(structured.choices[0]?.message.content ?? '')).toEqual({ ok: true, count: 3 });
    });

    it.each<[string, () => Promise<unknown>, number]>([
      ['another model', async () => client.chat.completions.create({ model: 'gpt-x', messages: [user('x')] }), 404],
      ['a wrong key', async () => new OpenAI({ baseURL: server.url, apiKey: 'other', maxRetries: 0 }).models.list(), 401],
      ['an unknown route', async () => client.embeddings.create({ model: 'x', input: 'x' }), 404],
    ])('refuses %s', async (_title, request, status) => {
      await expect(request()).rejects.toMatchObject({ status });
    });
  });

  describe('the scripts', () => {
    const tools = new Map(toolsOfRole('DEV').map((tool) => [tool.name, tool]));
    it('have names of their own', () => {
      const names = scripts.map((script) => script.name);
      expect(new Set(names).size).toBe(names.length);
    });

    it.each(scripts.filter((script) => script.name !== 'stumbles').map((script) => [script.name, script] as const))(
      '%s calls only tools that an agent has',
      (_name, script) => {
        const called = script.plays.flatMap((play) => play.steps).flatMap((step) => step.calls ?? []);
        expect(called.filter((call) => !tools.has(call.tool))).toEqual([]);
      },
    );
  });
});
