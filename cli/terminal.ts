// The person's terminal: two streams, a question, and colours where they can be seen.

import { createInterface } from 'node:readline/promises';
import { styleText } from 'node:util';

export type Colour = 'green' | 'red' | 'yellow' | 'cyan' | 'gray' | 'bold';
export type Paint = (colour: Colour, text: string) => string;

export const plain: Paint = (_, text) => text;
export const coloured: Paint = (colour, text) => styleText(colour, text, { validateStream: false });

export interface Terminal {
  /** To standard output, as it is. */
  write(text: string): void;
  /** To standard error, one line. */
  complain(line: string): void;
  /** Colours of standard output. */
  readonly paint: Paint;
  /** Whether standard output is looked at by a person. */
  readonly isInteractive: boolean;
  /** Undefined where nobody can be asked. */
  readonly ask: ((question: string) => Promise<string>) | undefined;
}

export interface Streams {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

/** A stream is a terminal only when it says so; `NO_COLOR` in the environment turns colours off. */
export const terminalOn = ({ stdin, stdout, stderr }: Streams, noColour: boolean): Terminal => {
  const isInteractive = stdout.isTTY === true;
  const ask = async (question: string): Promise<string> => {
    const lines = createInterface({ input: stdin, output: stderr });
    try {
      return await lines.question(question);
    } finally {
      lines.close();
    }
  };
  return {
    write: (text) => void stdout.write(text),
    complain: (line) => void stderr.write(`${line}\n`),
    paint: isInteractive && !noColour ? coloured : plain,
    isInteractive,
    ask: stdin.isTTY === true ? ask : undefined,
  };
};
