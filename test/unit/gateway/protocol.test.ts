// Answers of git servers and model servers, as bytes -> what is read in them.

import { describe, expect, it } from 'vitest';
import { commitOf, lsRefsRequest, parseAdvertisement, parseLsRefs } from '../../../gateway/git/ls-refs.ts';
import { mergeFindingOf } from '../../../gateway/git/merge-finding.ts';
import { FLUSH, MalformedPktLine, pktLine, readPktLines } from '../../../gateway/git/pkt-line.ts';
import { readConfig } from '../../../gateway/config.ts';
import { chatRequest } from '../../../gateway/model/chat-request.ts';
import { UsageWatch } from '../../../gateway/model/usage.ts';
import { withoutCredential } from '../../../gateway/upstream/secrets.ts';
import { task, work } from '../../builders/objects.ts';
import { job, pod, runningPod } from '../../builders/workspaces.ts';

const A = 'a'.repeat(40);
const B = 'b'.repeat(40);
const lines = (...texts: readonly string[]): Buffer => Buffer.concat([...texts.map((text) => pktLine(text)), FLUSH]);

describe("a git server's advertisement", () => {
  it('of version 2 says which object format it has', () => {
    const bytes = Buffer.concat([
      lines('# service=git-upload-pack\n'),
      lines('version 2\n', 'ls-refs=unborn\n', 'object-format=sha256\n'),
    ]);
    expect(parseAdvertisement(bytes)).toEqual({ version: 2, objectFormat: 'sha256' });
  });

  it('of version 0 lists refs, tags with what they peel to', () => {
    const bytes = Buffer.concat([
      lines('# service=git-upload-pack\n'),
      lines(`${A} HEAD\0multi_ack\n`, `${A} refs/heads/main\n`, `${B} refs/tags/v1\n`, `${A} refs/tags/v1^{}\n`),
    ]);
    const advertisement = parseAdvertisement(bytes);
    expect(advertisement).toMatchObject({ version: 0 });
    const refs = advertisement.version === 0 ? advertisement.refs : [];
    expect(commitOf('main', refs)).toBe(A);
    expect(commitOf('v1', refs)).toBe(A);
    expect(commitOf('HEAD', refs)).toBe(A);
    expect(commitOf('nothing', refs)).toBeUndefined();
  });

  it('of an empty repository lists nothing', () => {
    expect(parseAdvertisement(lines(`${'0'.repeat(40)} capabilities^{}\0multi_ack\n`))).toEqual({ version: 0, refs: [] });
  });

  it.each([
    ['cut off in a line', lines(`${A} refs/heads/main\n`).subarray(0, 20)],
    ['with an id that is none', lines('xyz refs/heads/main\n')],
    ['of version 2 without ls-refs', lines('version 2\n', 'fetch\n')],
    ['that is a page', Buffer.from('<!doctype html>')],
  ])('%s is malformed', (_what, bytes) => {
    expect(() => parseAdvertisement(bytes)).toThrow(MalformedPktLine);
  });
});

describe('ls-refs', () => {
  it('asks for a branch before a tag of that name, and prefers it', () => {
    const asked = readPktLines(lsRefsRequest('main', 'sha1')).flatMap((line) =>
      line.type === 'data' ? [line.bytes.toString().trim()] : [line.type],
    );
    expect(asked).toEqual([
      ...['command=ls-refs', 'agent=swe-fleet-gateway', 'delimiter', 'peel'],
      ...['ref-prefix refs/heads/main', 'ref-prefix refs/tags/main', 'flush'],
    ]);
    const refs = parseLsRefs(lines(`${B} refs/tags/main peeled:${A}\n`, `${A} refs/heads/main\n`, `${B} refs/heads/main-2\n`));
    expect(commitOf('main', refs)).toBe(A);
  });

  it('is malformed with an id that is none', () => {
    expect(() => parseLsRefs(lines('unborn HEAD\n'))).toThrow(/not born/);
    expect(() => parseLsRefs(lines(`${A} refs/tags/v1 peeled:zzz\n`))).toThrow(MalformedPktLine);
  });
});

describe("the merge step's finding", () => {
  const courier = job(task(work('api')), { kind: 'courier' });
  const status = (message: string) =>
    pod(courier, {}, { initContainerStatuses: [{ name: 'merge', state: { terminated: { exitCode: 0, message } } }] });
  it('is read from the pod', () => {
    expect(mergeFindingOf(status(`{"step":"merge","outcome":"ok","commit":"${A}"}`))).toMatchObject({ commit: A });
  });
  it.each([
    ['absent before the step has ended', runningPod(courier)],
    ['none when it is another step’s', status(`{"step":"push","outcome":"ok","commit":"${A}"}`)],
    ['none when its commit is no id', status('{"step":"merge","outcome":"ok","commit":"main"}')],
    ['none when it is no JSON', status('boom')],
  ])('is %s', (_what, seen) => {
    expect(mergeFindingOf(seen)).toBeUndefined();
  });
});

describe('the usage in a stream', () => {
  const stream =
    'data: {"choices":[],"usage":null}\n\ndata: {"choices":[{"delta":{"content":"\\"usage\\""}}]}\n\ndata: {"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3}}\n\ndata: [DONE]\n\n';
  it('is found wherever the chunks are cut, within a character even', () => {
    const bytes = Buffer.from(stream.replace('"choices"', '"é"'));
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      const watch = new UsageWatch();
      watch.see(bytes.subarray(0, cut));
      watch.see(bytes.subarray(cut));
      expect(watch.usage).toEqual({ prompt: 7, completion: 3 });
    }
  });
  it('is none when it is no count', () => {
    const watch = new UsageWatch();
    watch.see(Buffer.from('data: {"usage":{"prompt_tokens":-1,"completion_tokens":1e99}}\n'));
    expect(watch.usage).toBeUndefined();
  });
});

describe('a chat request', () => {
  const terms = { model: 'm', temperature: 0.5, maxTokens: 100 };
  it('costs at most its text and all the tokens it may have', () => {
    const chat = chatRequest(Buffer.from(JSON.stringify({ messages: [{ role: 'user', content: 'é'.repeat(3_000) }] })), terms);
    expect(chat.maxTokens).toBe(100);
    expect(chat.estimate).toBeGreaterThan(2_000);
    expect(chat.estimate).toBeLessThan(2_200);
  });
  it('asks a stream for its usage', () => {
    const chat = chatRequest(
      Buffer.from('{"messages":[{"role":"user","content":"x"}],"stream":true,"stream_options":{"include_usage":false}}'),
      terms,
    );
    expect(JSON.parse(chat.body)).toMatchObject({ stream: true, stream_options: { include_usage: true } });
  });
  it.each([
    ['no JSON', 'nothing'],
    ['a list', '[]'],
    [
      'nested without end',
      `{"messages":[{"role":"user","content":"x"}],"tools":[{"type":"function","function":{"name":"f","parameters":{"a":${'['.repeat(50_000)}${']'.repeat(50_000)}}}}]}`,
    ],
    ['a tool that is no function', '{"messages":[{"role":"user","content":"x"}],"tools":[{"type":"web_search"}]}'],
  ])('that is %s is refused as the caller’s mistake', (_what, text) => {
    expect(() => chatRequest(Buffer.from(text), terms)).toThrow(
      expect.objectContaining({ status: 400, code: 'BodyInvalid' }) as Error,
    );
  });
});

describe('what an upstream said', () => {
  it('loses our credential, plain or encoded', () => {
    const basic = `Basic ${Buffer.from('bot:correct-horse').toString('base64')}`;
    expect(withoutCredential('no such key sk-12345', 'Bearer sk-12345')).toBe('no such key …');
    expect(withoutCredential(`bad ${basic.slice(6)} of correct-horse`, basic)).toBe('bad … of …');
  });
});

describe('the configuration', () => {
  it('has a default for everything but what it cannot know', () => {
    expect(readConfig({})).toMatchObject({
      FLEET_PORT: 8443,
      FLEET_CANARY_PORT: 8444,
      FLEET_HEALTH_PORT: 8081,
      FLEET_CLUSTER_CIDRS: [],
    });
  });
  it('reports every complaint at once', () => {
    const bad = {
      FLEET_PORT: 'high',
      FLEET_CLUSTER_CIDRS: '10.0.0.0/8,nonsense',
      FLEET_LOG_LEVEL: 'loud',
      FLEET_TLS_KEY_FILE: 'relative',
    };
    expect(() => readConfig(bad)).toThrow(/FLEET_PORT[\s\S]*FLEET_TLS_KEY_FILE[\s\S]*FLEET_CLUSTER_CIDRS[\s\S]*FLEET_LOG_LEVEL/);
  });
});
