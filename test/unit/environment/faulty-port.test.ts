// The port that stands in front of a test's servers: it is transparent until it is told otherwise, and counts what it did.
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startFaultyPort, type FaultyPort } from '../../environment/faulty-port.ts';

const HOST = '127.0.0.1';
/** Says it and reads until as much came back, or the connection ended; `!` tells of a reset. */
const echoOn = async (socket: Socket, text: string): Promise<string> =>
  new Promise((resolve) => {
    let got = '';
    socket.on('data', (piece: Buffer) => {
      got += piece.toString();
      if (got.length >= text.length) resolve(got);
    });
    socket.on('error', () => resolve(`${got}!`));
    socket.on('close', () => resolve(got));
    socket.write(text);
  });

describe('a faulty port', () => {
  let server: Server;
  let port: FaultyPort;

  beforeEach(async () => {
    server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.pipe(socket);
    });
    server.listen(0, HOST);
    await once(server, 'listening');
    port = await startFaultyPort(HOST, { host: HOST, port: (server.address() as AddressInfo).port });
  });
  afterEach(async () => {
    await port.close();
    server.close();
  });
  const echo = (text: string): Promise<string> => echoOn(connect(port.port, HOST), text);

  it('passes everything on, before a fault and after it', async () => {
    expect(await echo('hello')).toBe('hello');
    port.break({ kind: 'refuse' });
    port.mend();
    expect(await echo('hello')).toBe('hello');
  });

  it('resets connections, new and old', async () => {
    const old = connect(port.port, HOST);
    expect(await echoOn(old, 'old')).toBe('old');
    const ended = new Promise((resolve) => old.on('close', resolve));
    port.break({ kind: 'refuse' });
    await ended;
    expect(await echo('new')).toBe('!');
    await port.felt(1);
  });

  it('cuts an answer after so many bytes', async () => {
    port.break({ kind: 'cut', afterBytes: 4 });
    expect(await echo('abcdefgh')).toBe('abcd!');
    await port.felt(1);
  });

  it('says what it has heard later, in order', async () => {
    port.break({ kind: 'slow', delayMs: 20 });
    const socket = connect(port.port, HOST);
    expect(await echoOn(socket, 'first')).toBe('first');
    expect(await echoOn(socket, 'second')).toBe('second');
    await port.felt(2);
  });

  it('lets a slow answer through that the server ends at once', async () => {
    server.removeAllListeners('connection');
    server.on('connection', (socket) => socket.end('good bye'));
    port.break({ kind: 'slow', delayMs: 20 });
    expect(await echo('any more words than come back')).toBe('good bye');
  });

  it('is not felt when nobody came: whoever waits for that is released by the signal', async () => {
    const over = new AbortController();
    port.break({ kind: 'refuse' });
    const felt = port.felt(1, over.signal);
    over.abort();
    await expect(felt).rejects.toThrow('interrupted');
  });
});
