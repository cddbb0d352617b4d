// The scripted model as a process: `node test/model/main.ts --port 9000 [--host H] [--tls-cert F --tls-key F] [--api-key-file F] [--latency-ms N]`.
// Prints one JSON line a request. Ends on SIGTERM.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { scripts } from './scripts/index.ts';
import { startScriptedModel } from './server.ts';

const usage = 'usage: main.ts --port N [--host H] [--tls-cert FILE --tls-key FILE] [--api-key-file FILE] [--latency-ms N]';

const { values } = parseArgs({
  options: {
    port: { type: 'string' },
    host: { type: 'string', default: '0.0.0.0' },
    'tls-cert': { type: 'string' },
    'tls-key': { type: 'string' },
    'api-key-file': { type: 'string' },
    'latency-ms': { type: 'string', default: '0' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help || values.port === undefined) {
  console.log(usage);
  process.exit(values.help ? 0 : 2);
}
const read = (file: string): string => readFileSync(file, 'utf8');
const [cert, key, keyFile] = [values['tls-cert'], values['tls-key'], values['api-key-file']];
if ((cert === undefined) !== (key === undefined)) throw new Error('--tls-cert and --tls-key go together');

const model = await startScriptedModel({
  scripts,
  host: values.host,
  port: Number(values.port),
  latencyMs: Number(values['latency-ms']),
  ...(cert === undefined || key === undefined ? {} : { tls: { cert: read(cert), key: read(key) } }),
  ...(keyFile === undefined ? {} : { apiKey: read(keyFile).trim() }),
  onRequest: (line) => console.log(JSON.stringify(line)),
});
console.log(
  JSON.stringify({ at: new Date().toISOString(), listening: model.url, note: 'a scripted model, not a language model' }),
);
process.once('SIGTERM', () => void model.close().then(() => process.exit(0)));
process.once('SIGINT', () => void model.close().then(() => process.exit(0)));
