// Takes what looks like a credential out of a text before a model reads it. Pure; a net with wide meshes, not a promise: people should
// not write secrets into Stories at all.

const RULES: readonly (readonly [pattern: RegExp, replacement: string])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]{0,16384}?-----END [A-Z ]*PRIVATE KEY-----/g, '[REDACTED]'],
  [/\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}/gi, '$1 [REDACTED]'],
  [/\b((?:[A-Za-z0-9]+[_-])?(?:password|passwd|secret|token|api[_-]?key))(\s*[:=]\s*)(["']?)[^\s"',;]{4,}\3/gi, '$1$2[REDACTED]'],
  [/\b(?:gh[pousr]_[A-Za-z0-9]{20,}|glpat-[A-Za-z0-9_-]{20,}|sk-[A-Za-z0-9_-]{20,}|AKIA[A-Z0-9]{16})\b/g, '[REDACTED]'],
];

export const redacted = (text: string): string =>
  RULES.reduce((left, [pattern, replacement]) => left.replace(pattern, replacement), text);
