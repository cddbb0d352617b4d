// What looks like a credential in a text: taken out before a model reads it and before a log prints it. A net with wide meshes, not a
// promise: people should not write secrets into Stories at all.

export const HIDDEN = '[REDACTED]';

const PATTERNS: readonly (readonly [pattern: RegExp, replacement: string])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]{0,16384}?-----END [A-Z ]*PRIVATE KEY-----/g, HIDDEN],
  [/\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}/gi, `$1 ${HIDDEN}`],
  [/\b((?:[A-Za-z0-9]+[_-])?(?:password|passwd|secret|token|api[_-]?key))(\s*[:=]\s*)(["']?)[^\s"',;]{4,}\3/gi, `$1$2${HIDDEN}`],
  [/\b(?:gh[pousr]_[A-Za-z0-9]{20,}|glpat-[A-Za-z0-9_-]{20,}|sk-[A-Za-z0-9_-]{20,}|AKIA[A-Z0-9]{16})\b/g, HIDDEN],
  // a JSON web token, and what stands before the host of a URL
  [/\beyJ[\w-]{8,}\.[\w-]+\.[\w-]+/g, HIDDEN],
  [/(:\/\/)[^/\s@]+@/g, `$1${HIDDEN}@`],
];

export const withoutCredentials = (text: string): string =>
  PATTERNS.reduce((left, [pattern, replacement]) => left.replace(pattern, replacement), text);
