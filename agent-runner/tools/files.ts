// The agent's tools for files: read, write, edit, delete, make a folder, list, search, diff. May: files of the work tree, `git grep`.
import { constants } from 'node:fs';
import { mkdir, open, rm, lstat, writeFile } from 'node:fs/promises';
import { dirname, relative } from 'node:path';
import { z } from 'zod';
import { nameInside, pathInside } from './repository-path.ts';
import { bounded, defineTool, ToolRefused, type Tool, type Workbench } from './tool.ts';

const MAX_FILE_BYTES = 1024 * 1024;
const MAX_LISTED = 1_000;
const SEARCH_TIMEOUT_MS = 20_000;

const path = z.string().min(1).describe('path inside the repository, for example src/index.js');

const readFile = defineTool({
  name: 'read_file',
  group: 'files:read',
  description: 'Read a text file, or some of its lines.',
  args: z.object({
    path,
    from_line: z.int().min(1).optional().describe('first line to read, from 1'),
    lines: z.int().min(1).optional().describe('how many lines to read'),
  }),
  run: async (args, bench) => {
    const text = await readText(await pathInside(bench.repository, args.path), args.path);
    if (args.from_line === undefined && args.lines === undefined) return bounded(text, bench.outputBytes);
    const all = text.split('\n');
    const from = (args.from_line ?? 1) - 1;
    return bounded(all.slice(from, args.lines === undefined ? undefined : from + args.lines).join('\n'), bench.outputBytes);
  },
});

const writeFileTool = defineTool({
  name: 'write_file',
  group: 'files:write',
  description: 'Write a whole text file; folders are made as needed, an existing file is replaced.',
  args: z.object({ path, content: z.string().describe('the whole new content') }),
  run: async (args, bench) => {
    const target = await pathInside(bench.repository, args.path);
    await mkdir(dirname(target), { recursive: true });
    await writeText(target, args.content, args.path);
    return `${args.path} has ${Buffer.byteLength(args.content)} bytes now`;
  },
});

const editFile = defineTool({
  name: 'edit_file',
  group: 'files:write',
  description: 'Replace a piece of a text file. old_text must occur exactly once, with its exact spaces and line breaks.',
  args: z.object({
    path,
    old_text: z.string().min(1),
    new_text: z.string(),
    replace_all: z.boolean().optional().describe('replace every occurrence instead of exactly one'),
  }),
  run: async (args, bench) => {
    const target = await pathInside(bench.repository, args.path);
    const parts = (await readText(target, args.path)).split(args.old_text);
    const found = parts.length - 1;
    if (found === 0) throw new ToolRefused(`old_text does not occur in ${args.path}; read the file again`);
    if (found > 1 && args.replace_all !== true)
      throw new ToolRefused(`old_text occurs ${found} times in ${args.path}; give more of its surroundings`);
    await writeText(target, parts.join(args.new_text), args.path);
    return `${args.path}: ${found} replaced`;
  },
});

const deleteFile = defineTool({
  name: 'delete_file',
  group: 'files:write',
  description: 'Delete a file, a symbolic link or a folder with everything in it.',
  args: z.object({ path }),
  run: async (args, bench) => {
    const target = await nameInside(bench.repository, args.path);
    if ((await lstat(target).catch(() => undefined)) === undefined) throw new ToolRefused(`${args.path} does not exist`);
    await rm(target, { recursive: true });
    return `${args.path} is deleted`;
  },
});

const makeFolder = defineTool({
  name: 'make_folder',
  group: 'files:write',
  description: 'Make a folder and the folders above it. Git keeps no empty folders.',
  args: z.object({ path }),
  run: async (args, bench) => {
    await mkdir(await pathInside(bench.repository, args.path), { recursive: true });
    return `${args.path} is there`;
  },
});

const listFiles = defineTool({
  name: 'list_files',
  group: 'files:read',
  description: 'List the files of the repository, or of one folder, without what .gitignore names.',
  args: z.object({ folder: z.string().optional().describe('a folder; absent: the whole repository') }),
  run: async (args, bench) => {
    const listed = await filesOf(bench, args.folder ?? '.');
    const more = listed.length > MAX_LISTED ? `\n[… ${listed.length - MAX_LISTED} more]` : '';
    return listed.length === 0 ? 'no files' : bounded(listed.slice(0, MAX_LISTED).join('\n') + more, bench.outputBytes);
  },
});

const search = defineTool({
  name: 'search',
  group: 'files:read',
  description: 'Search the text of the repository with an extended regular expression; gives path:line:text.',
  args: z.object({
    pattern: z.string().min(1).max(500),
    folder: z.string().optional().describe('a folder or file; absent: everywhere'),
  }),
  run: async (args, bench) => {
    const within = relative(bench.repository, await pathInside(bench.repository, args.folder ?? '.')) || '.';
    // A child with a time limit, as a pattern of the model's may take for ever.
    const result = await bench.children.run(
      ['git', '-c', 'core.fsmonitor=false', 'grep', '--no-index', '--exclude-standard', '-nIE', '-e', args.pattern, '--', within],
      {
        cwd: bench.repository,
        env: bench.env,
        timeoutMs: Math.min(SEARCH_TIMEOUT_MS, bench.remainingMs()),
        outputBytes: bench.outputBytes,
      },
    );
    if (result.timedOut) throw new ToolRefused('the search took too long; try a simpler pattern');
    if (result.exitCode === 1) return 'nothing found';
    if (result.exitCode !== 0) throw new ToolRefused(`the search failed: ${result.output}`);
    return result.output;
  },
});

const diff = defineTool({
  name: 'diff',
  group: 'files:read',
  description: 'Show everything that was changed since the task began, as it will be handed in.',
  args: z.object({}),
  run: async (_args, bench) => {
    const text = (await bench.patch.diff()).toString('utf8');
    return text === '' ? 'nothing is changed' : bounded(text, bench.outputBytes);
  },
});

export const fileTools: readonly Tool[] = [readFile, writeFileTool, editFile, deleteFile, makeFolder, listFiles, search, diff];

const filesOf = async (bench: Workbench, folder: string): Promise<readonly string[]> => {
  const within = relative(bench.repository, await pathInside(bench.repository, folder)) || '.';
  const listed = (await bench.patch.files()).filter((file) => within === '.' || file === within || file.startsWith(`${within}/`));
  return [...new Set(listed)].sort();
};

/** Opens without following a link and without waiting for a pipe's other end; only regular files of text are read. */
const readText = async (file: string, named: string): Promise<string> => {
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    (error: NodeJS.ErrnoException) => {
      throw new ToolRefused(
        error.code === 'ENOENT' ? `${named} does not exist` : `${named} cannot be read: ${error.code ?? error.message}`,
      );
    },
  );
  try {
    const seen = await handle.stat();
    if (seen.isDirectory()) throw new ToolRefused(`${named} is a folder; use list_files`);
    if (!seen.isFile()) throw new ToolRefused(`${named} is no regular file`);
    if (seen.size > MAX_FILE_BYTES)
      throw new ToolRefused(`${named} has ${seen.size} bytes; at most ${MAX_FILE_BYTES} can be read`);
    const bytes = await handle.readFile();
    if (bytes.includes(0)) throw new ToolRefused(`${named} is binary`);
    return bytes.toString('utf8');
  } finally {
    await handle.close();
  }
};

const writeText = async (file: string, text: string, named: string): Promise<void> => {
  if (text.includes('\0')) throw new ToolRefused('text has no NUL characters');
  if (Buffer.byteLength(text) > MAX_FILE_BYTES) throw new ToolRefused(`a file may have ${MAX_FILE_BYTES} bytes at most`);
  const seen = await lstat(file).catch(() => undefined);
  if (seen !== undefined && !seen.isFile()) throw new ToolRefused(`${named} is no regular file`);
  await writeFile(file, text, { flag: constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW });
};
