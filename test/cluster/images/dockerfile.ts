// Parses the subset of the Dockerfile language that the project's images use. Pure. Whatever is outside the subset is refused with file, line and a
// next step, so that an image built here and one built by `docker build` from the same file cannot mean two things.
//
//   FROM image [AS stage]            ARG name=default              RUN one shell command line
//   COPY [--from=stage|context] [--chown=uid:gid] [--chmod=mode] source... target
//   ENV, LABEL name=value ...        USER, WORKDIR /absolute       ENTRYPOINT, CMD ["argv"]
//   # comments, lines continued with a backslash, $NAME and ${NAME} of an ARG or ENV of the same file
import { words, substitute, type Variables } from './dockerfile-words.ts';

export interface Run {
  readonly verb: 'RUN';
  readonly command: string;
  readonly line: number;
}

export interface Copy {
  readonly verb: 'COPY';
  readonly from: string | undefined;
  readonly chown: string | undefined;
  readonly chmod: string | undefined;
  readonly sources: readonly string[];
  readonly target: string;
  readonly line: number;
}

export type Step =
  | Run
  | Copy
  | { readonly verb: 'ENV' | 'LABEL'; readonly pairs: readonly (readonly [string, string])[]; readonly line: number }
  | { readonly verb: 'USER' | 'WORKDIR'; readonly value: string; readonly line: number }
  | { readonly verb: 'ENTRYPOINT' | 'CMD'; readonly argv: readonly string[]; readonly line: number };

export interface Stage {
  readonly image: string;
  readonly name: string | undefined;
  readonly line: number;
  readonly steps: readonly Step[];
}

export interface Dockerfile {
  /** Path for messages. */
  readonly path: string;
  /** At least one; the last is the image. */
  readonly stages: readonly Stage[];
}

export class DockerfileError extends Error {
  constructor(place: { readonly path: string; readonly line: number }, problem: string, next: string) {
    super(`${place.path}:${place.line}: ${problem}. Next: ${next}.`);
  }
}

interface Statement {
  readonly verb: string;
  readonly rest: string;
  readonly line: number;
}

const verbs = 'FROM, ARG, RUN, COPY, ENV, LABEL, USER, WORKDIR, ENTRYPOINT and CMD';

function statements(path: string, text: string): readonly Statement[] {
  const found: Statement[] = [];
  let open: { parts: string[]; line: number } | undefined;
  for (const [index, raw] of text.split('\n').entries()) {
    const line = index + 1;
    const trimmed = raw.trim();
    if (/^#\s*(escape|check)\s*=/i.test(trimmed))
      throw new DockerfileError({ path, line }, 'parser directives are not understood', 'remove the line');
    if (trimmed.startsWith('#') || trimmed === '') continue;
    open ??= { parts: [], line };
    const continued = trimmed.endsWith('\\');
    open.parts.push(continued ? trimmed.slice(0, -1).trim() : trimmed);
    if (continued) continue;
    found.push(statement(open.parts.join(' '), open.line));
    open = undefined;
  }
  if (open !== undefined)
    throw new DockerfileError({ path, line: open.line }, 'the last line ends in a backslash', 'finish the instruction');
  return found;
}

function statement(text: string, line: number): Statement {
  const match = /^(\S+)\s*(.*)$/s.exec(text);
  return { verb: (match?.[1] ?? '').toUpperCase(), rest: match?.[2] ?? '', line };
}

/** Throws DockerfileError for anything outside the subset. `path` is used in messages only. */
export function parseDockerfile(path: string, text: string): Dockerfile {
  const stages: (Stage & { steps: Step[] })[] = [];
  const variables = new Map<string, string>();
  for (const { verb, rest, line } of statements(path, text)) {
    const place = { path, line };
    const stage = stages.at(-1);
    if (verb === 'FROM') stages.push({ ...parseFrom(place, rest, variables), steps: [] });
    else if (verb === 'ARG') parseArg(place, rest, variables);
    else if (stage === undefined) throw new DockerfileError(place, `${verb} stands before FROM`, 'start the file with FROM');
    else stage.steps.push(parseStep(place, verb, { rest, variables }));
  }
  if (stages.length === 0) throw new DockerfileError({ path, line: 1 }, 'there is no FROM', 'name the base image');
  return { path, stages };
}

type Place = { readonly path: string; readonly line: number };

function parseFrom(place: Place, rest: string, variables: Variables): Omit<Stage, 'steps'> {
  const [image, as, name, ...more] = wordsAt(place, rest, variables);
  if (image === undefined || image.startsWith('--'))
    throw new DockerfileError(place, 'FROM takes no options', 'write FROM image [AS stage]');
  if (as !== undefined && (as.toUpperCase() !== 'AS' || name === undefined || more.length > 0)) {
    throw new DockerfileError(place, `"FROM ${rest}" is not understood`, 'write FROM image [AS stage]');
  }
  return { image, name, line: place.line };
}

function parseArg(place: Place, rest: string, variables: Map<string, string>): void {
  const [pair, ...more] = pairsAt(place, rest, variables);
  if (pair === undefined || more.length > 0)
    throw new DockerfileError(place, 'ARG needs one name with a default', 'write ARG name=value');
  variables.set(...pair);
}

function parseStep(place: Place, verb: string, { rest, variables }: { rest: string; variables: Map<string, string> }): Step {
  const { line } = place;
  switch (verb) {
    case 'RUN':
      if (/^(--|\[)|<</.test(rest)) {
        throw new DockerfileError(place, 'RUN takes one plain shell command line here', 'use no options, JSON form or heredoc');
      }
      return { verb, command: rest, line };
    case 'COPY':
      return parseCopy(place, wordsAt(place, rest, variables));
    case 'ENV':
    case 'LABEL': {
      const pairs = pairsAt(place, rest, variables);
      if (verb === 'ENV') for (const pair of pairs) variables.set(...pair);
      return { verb, pairs, line };
    }
    case 'USER':
    case 'WORKDIR':
      return { verb, value: parseValue(place, verb, wordsAt(place, rest, variables)), line };
    case 'ENTRYPOINT':
    case 'CMD':
      return { verb, argv: parseArgv(place, verb, rest), line };
    default:
      throw new DockerfileError(
        place,
        `${verb} is not supported`,
        `use only ${verbs}, or teach test/cluster/images/dockerfile.ts`,
      );
  }
}

function parseValue(place: Place, verb: 'USER' | 'WORKDIR', [value, ...more]: readonly string[]): string {
  if (value === undefined || more.length > 0) throw new DockerfileError(place, `${verb} takes one value`, `write ${verb} value`);
  if (verb === 'WORKDIR' && !value.startsWith('/'))
    throw new DockerfileError(place, `WORKDIR ${value} is relative`, 'write an absolute path');
  return value;
}

function parseCopy(place: Place, all: readonly string[]): Copy {
  const options = new Map<string, string>();
  const names = all.filter((word) => {
    const match = /^--([a-z-]+)(?:=(.*))?$/.exec(word);
    if (match === null) return true;
    const [, option = '', value] = match;
    if (!['from', 'chown', 'chmod'].includes(option) || value === undefined) {
      throw new DockerfileError(place, `COPY ${word} is not supported`, 'use --from=, --chown=uid:gid and --chmod=mode only');
    }
    options.set(option, value);
    return false;
  });
  const target = names.at(-1);
  const sources = names.slice(0, -1);
  if (target === undefined || sources.length === 0)
    throw new DockerfileError(place, 'COPY needs a source and a target', 'write COPY source target');
  const odd = sources.find((source) => /[*?[\]]/.test(source) || source.split('/').includes('..'));
  if (odd !== undefined)
    throw new DockerfileError(place, `COPY source ${odd} has a pattern or ".."`, 'name each file or directory');
  if (!target.startsWith('/')) throw new DockerfileError(place, `COPY target ${target} is relative`, 'write an absolute path');
  if (sources.length > 1 && !target.endsWith('/'))
    throw new DockerfileError(place, 'several sources need a directory', 'end the target with /');
  const chown = options.get('chown');
  if (chown !== undefined && !/^\d+:\d+$/.test(chown))
    throw new DockerfileError(place, `--chown=${chown} is no uid:gid`, 'write numbers');
  const chmod = options.get('chmod');
  if (chmod !== undefined && !/^[0-7]{3,4}$/.test(chmod))
    throw new DockerfileError(place, `--chmod=${chmod} is no octal mode`, 'write e.g. 0755');
  return { verb: 'COPY', from: options.get('from'), chown, chmod, sources, target, line: place.line };
}

function parseArgv(place: Place, verb: string, rest: string): readonly string[] {
  const problem = new DockerfileError(place, `${verb} must be a JSON list of strings`, `write ${verb} ["program", "argument"]`);
  let value: unknown;
  try {
    value = JSON.parse(rest);
  } catch {
    throw problem;
  }
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) throw problem;
  return value;
}

function wordsAt(place: Place, rest: string, variables: Variables): readonly string[] {
  return words(rest).map((word) => {
    const value = substitute(word, variables);
    if ('problem' in value)
      throw new DockerfileError(place, value.problem, 'define it with ARG or ENV in this file, without modifiers');
    return value.text;
  });
}

function pairsAt(place: Place, rest: string, variables: Variables): readonly (readonly [string, string])[] {
  return wordsAt(place, rest, variables).map((word) => {
    const at = word.indexOf('=');
    if (at < 1) throw new DockerfileError(place, `"${word}" is no name=value`, 'write name=value');
    return [word.slice(0, at), word.slice(at + 1)];
  });
}
