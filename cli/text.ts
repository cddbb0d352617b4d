// Words for people. Pure. What comes from objects, logs and models is a stranger's text: it must not steer the terminal.

const STEERING =
  /\u001b\[[0-9;?]*[ -/]*[@-~]|\u001b[@-_]|[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Without control characters and text-direction tricks; line breaks and tabs stay. */
export const harmless = (text: string): string => text.replaceAll('\r\n', '\n').replace(STEERING, '');

/** On one line. */
export const oneLine = (text: string): string => harmless(text).replace(/\s+/g, ' ').trim();

export const shortDigest = (digest: string): string => (digest.startsWith('sha256:') ? digest.slice(0, 19) : digest.slice(0, 12));

export const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** `34s`, `5m10s`, `3h2m`, `2d4h` */
export const duration = (ms: number): string => {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return seconds % 60 === 0 ? `${minutes}m` : `${minutes}m${seconds % 60}s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 === 0 ? `${hours}h` : `${hours}h${minutes % 60}m`;
  return hours % 24 === 0 ? `${hours / 24}d` : `${Math.floor(hours / 24)}d${hours % 24}h`;
};

export const indent = (text: string, by: string): string =>
  text
    .split('\n')
    .map((line) => (line === '' ? line : by + line))
    .join('\n');
