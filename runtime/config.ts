// Configuration: read once, validated whole, every issue reported, frozen. Each process declares what it reads in a `config.ts` of its
// own; only those files see process.env. What is logged of a configuration is redacted by the log.

import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { platformConfig, type PlatformConfig } from '../crds/contracts/platform.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** All that is wrong with the configuration, one line each. */
export class ConfigInvalid extends Error {
  override readonly name = 'ConfigInvalid';
  readonly issues: readonly string[];

  constructor(issues: readonly string[]) {
    super(`the configuration is invalid:\n${issues.map((issue) => `  ${issue}`).join('\n')}`);
    this.issues = issues;
  }
}

/** 0: any free port. */
export const port = (preset: number) => z.coerce.number().int().min(0).max(65_535).default(preset);
export const natural = (preset: number, max: number) => z.coerce.number().int().min(1).max(max).default(preset);
export const logLevel = z.enum(['debug', 'info', 'warn', 'error']).default('info');

/** The same value, which nobody can change any more. */
export const frozen = <T>(value: T): T => {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(frozen);
  return value;
};

const parsed = <S extends z.ZodType>(
  schema: S,
  given: unknown,
  to: { readonly prefix: string; readonly issues: string[] },
): z.output<S> | undefined => {
  const result = schema.safeParse(given);
  if (result.success) return frozen(result.data);
  to.issues.push(...result.error.issues.map((issue) => `${to.prefix}${issue.path.join('.')}: ${issue.message}`));
  return undefined;
};

/** The variables that the schema names; undefined when some are invalid, which is added to `issues`. */
export const readEnvironment = <S extends z.ZodType>(
  schema: S,
  environment: Environment,
  issues: string[],
): z.output<S> | undefined => parsed(schema, environment, { prefix: '', issues });

/** As `readEnvironment`, for who reads nothing else. Throws ConfigInvalid. */
export const loadEnvironment = <S extends z.ZodType>(schema: S, environment: Environment): z.output<S> => {
  const issues: string[] = [];
  const values = readEnvironment(schema, environment, issues);
  if (values === undefined) throw new ConfigInvalid(issues);
  return values;
};

/** The platform engineer's file; undefined when it is missing or invalid, which is added to `issues`. */
export const readPlatform = (file: string, issues: string[]): PlatformConfig | undefined => {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    issues.push(`${file}: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
  return parsed(platformConfig, json, { prefix: `${file}: `, issues });
};

/** As `readPlatform`. Throws ConfigInvalid. */
export const loadPlatform = (file: string): PlatformConfig => {
  const issues: string[] = [];
  const platform = readPlatform(file, issues);
  if (platform === undefined) throw new ConfigInvalid(issues);
  return platform;
};
