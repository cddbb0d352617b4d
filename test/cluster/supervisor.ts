/**
 * Starts the components of a box and notices their deaths. It restarts nobody by itself: a component that dies is a finding,
 * and hiding it would hide the bug that killed it. `npm run cluster -- up` asks for the restart.
 */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { Component, ComponentName } from './components.ts';
import { plainEnvironment } from './config.ts';
import { lastLines, type ComponentStatus } from './status.ts';

const KEPT_LINES = 12;

export interface Supervisor {
  /** Starts it unless it runs. The log of an earlier life in this box is continued. */
  start(component: Component): void;
  components(): readonly ComponentStatus[];
  died(): readonly ComponentStatus[];
}

export interface SupervisorOptions {
  readonly logs: string;
  readonly workDir: string;
  /** Where node keeps compiled code, for components that are written for it. */
  readonly compileCache: string;
  /** Called after each start and each death. */
  readonly onChange: () => void;
}

export const superviseIn = (options: SupervisorOptions): Supervisor => {
  const known = new Map<ComponentName, ComponentStatus>();
  mkdirSync(options.logs, { recursive: true });

  const start = (component: Component): void => {
    const before = known.get(component.name);
    if (before !== undefined && before.death === undefined) return;
    const log = join(options.logs, `${component.name}.log`);
    const output = openSync(log, before === undefined ? 'w' : 'a');
    const [program, ...args] = component.argv;
    const startedMs = Date.now();
    const child = spawn(program, args, {
      stdio: ['ignore', output, output],
      detached: true, // a session of its own: no signal to a group reaches it by accident
      cwd: options.workDir,
      env: plainEnvironment({ NODE_COMPILE_CACHE: options.compileCache }),
    });
    closeSync(output);
    const status: ComponentStatus = { name: component.name, pid: child.pid ?? 0, startedAt: new Date(startedMs).toISOString() };
    const died = (how: string): void => {
      const at = new Date().toISOString();
      const death = { how, at, livedMs: Date.now() - startedMs, log, lastLines: lastLines(log, KEPT_LINES) };
      known.set(component.name, { ...status, death });
      options.onChange();
    };
    child.once('error', (error) => died(error.message));
    child.once('exit', (code, signal) => died(signal === null ? `exit status ${code ?? '?'}` : `signal ${signal}`));
    known.set(component.name, status);
    options.onChange();
  };

  const components = (): readonly ComponentStatus[] => [...known.values()];
  return { start, components, died: () => components().filter((component) => component.death !== undefined) };
};
