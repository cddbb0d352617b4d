// What a tool of the agent is, and the things it works with. A tool's refusal is text for the model, never an exception of the step.
import { z } from 'zod';
import type { Git } from '../git/driver.ts';
import type { WorkTreePatch } from '../git/work-tree-patch.ts';
import type { Children } from '../process/children.ts';

/** The group decides, by role, whether an agent has the tool. */
export type ToolGroup = 'files:read' | 'files:write' | 'git:read' | 'git:write' | 'tests' | 'shell' | 'end';

export interface Workbench {
  /** Real path of the work tree. */
  readonly repository: string;
  readonly children: Children;
  readonly env: Readonly<Record<string, string>>;
  readonly git: Git;
  readonly patch: WorkTreePatch;
  readonly verifyCommands: readonly string[];
  readonly verifyTimeoutMs: number;
  /** How much text one call may give back. */
  readonly outputBytes: number;
  /** Milliseconds until the attempt's wall clock ends; never below 0. */
  readonly remainingMs: () => number;
}

/** The model asked for something that it may not have or that does not exist; it is told so and goes on. */
export class ToolRefused extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ToolRefused';
  }
}

export interface Tool {
  readonly name: string;
  readonly group: ToolGroup;
  readonly description: string;
  readonly parameters: Record<string, unknown>;
  /** Throws `ToolRefused` when the arguments do not fit. */
  call(args: unknown, bench: Workbench): Promise<string>;
}

export interface ToolDefinition<Shape extends z.ZodObject> {
  readonly name: string;
  readonly group: ToolGroup;
  readonly description: string;
  readonly args: Shape;
  run(args: z.infer<Shape>, bench: Workbench): Promise<string>;
}

export const defineTool = <Shape extends z.ZodObject>(definition: ToolDefinition<Shape>): Tool => {
  const { $schema: _dialect, ...parameters } = z.toJSONSchema(definition.args, { io: 'input' });
  return {
    name: definition.name,
    group: definition.group,
    description: definition.description,
    parameters,
    call: async (args, bench) => {
      const parsed = definition.args.safeParse(args);
      if (!parsed.success) throw new ToolRefused(`the arguments do not fit: ${z.prettifyError(parsed.error)}`);
      return definition.run(parsed.data, bench);
    },
  };
};

/** Cuts text to a number of bytes and says so. */
export const bounded = (text: string, maxBytes: number): string => {
  const bytes = Buffer.from(text);
  if (bytes.length <= maxBytes) return text;
  return `${bytes.subarray(0, maxBytes).toString('utf8')}\n[… cut after ${maxBytes} of ${bytes.length} bytes]`;
};
