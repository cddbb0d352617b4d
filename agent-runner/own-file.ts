// Writes files into folders that the step's commands could write too: whatever they left at that path, the file is a new one of ours.
// May: remove a file or a link there, rename a folder there, write. Called when nobody else of the step runs any more.
import { randomUUID } from 'node:crypto';
import { lstat, mkdir, open, rename, unlink } from 'node:fs/promises';
import { constants } from 'node:fs';
import { dirname } from 'node:path';

const FRESH = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

export const writeOwnFile = async (file: string, content: string | Uint8Array): Promise<void> => {
  await mkdir(dirname(file), { recursive: true });
  await clearTheWay(file);
  const handle = await open(file, FRESH, 0o644);
  try {
    await handle.writeFile(content);
  } finally {
    await handle.close();
  }
};

const clearTheWay = async (file: string): Promise<void> => {
  const seen = await lstat(file).catch(() => undefined);
  if (seen === undefined) return;
  // what is in a folder may be out of our reach, and need not go: another name is enough
  if (seen.isDirectory()) await rename(file, `${file}.${randomUUID()}`);
  else await unlink(file);
};
