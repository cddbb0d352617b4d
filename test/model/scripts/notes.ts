// Scripts of the least work that can be verified: each adds one note. Their walk is dominated by the system, not by the work.
import type { Script } from '../script.ts';

export const NOTES = [1, 2, 3, 4, 5, 6] as const;
export type NoteNumber = (typeof NOTES)[number];

export const noteScript = (number: NoteNumber): string => `note-${number}`;
export const notePath = (number: NoteNumber): string => `notes/${number}.md`;

const script = (number: NoteNumber): Script => ({
  name: noteScript(number),
  plays: [
    {
      steps: [
        { calls: [{ tool: 'write_file', args: { path: notePath(number), content: `Note ${number}\n` } }] },
        { calls: [{ tool: 'done', args: { summary: `Note ${number} is written.` } }] },
      ],
    },
  ],
});

export const notes: readonly Script[] = NOTES.map(script);
