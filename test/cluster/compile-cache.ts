/**
 * Preloaded into the programs of a box that are written for node. They end by SIGKILL, so what node compiled is kept while they run:
 * it halves their next start.
 */
import { flushCompileCache } from 'node:module';

const AFTER_START_MS = 5_000;

setTimeout(flushCompileCache, AFTER_START_MS).unref();
