// Reads files that the agent's or the repository's code may have written: only regular files, only up to a size, never through a link.
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

export type HostileRead =
  | { readonly kind: 'read'; readonly bytes: Buffer }
  | { readonly kind: 'absent' }
  | { readonly kind: 'refused'; readonly message: string };

export const readHostile = async (file: string, maxBytes: number): Promise<HostileRead> => {
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    (error: NodeJS.ErrnoException) => error.code ?? 'unreadable',
  );
  if (typeof handle === 'string') return handle === 'ENOENT' ? { kind: 'absent' } : { kind: 'refused', message: handle };
  try {
    const seen = await handle.stat();
    if (!seen.isFile()) return { kind: 'refused', message: 'no regular file' };
    if (seen.size > maxBytes) return { kind: 'refused', message: `${seen.size} bytes, at most ${maxBytes} are read` };
    const buffer = Buffer.alloc(maxBytes + 1);
    let filled = 0;
    for (;;) {
      const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, filled);
      filled += bytesRead;
      if (bytesRead === 0 || filled > maxBytes) break;
    }
    if (filled > maxBytes) return { kind: 'refused', message: `it grew above ${maxBytes} bytes` };
    return { kind: 'read', bytes: buffer.subarray(0, filled) };
  } finally {
    await handle.close();
  }
};
