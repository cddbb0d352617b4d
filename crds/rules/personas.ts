// What agents are told about themselves where a Council gives only a size: a sentence for the role, and for all but the first a view of their own,
// so that they differ. Data.

const ROLES: Readonly<Record<string, string>> = {
  ARCHITECT: 'You design: structure, interfaces, what depends on what, and what a change will cost later.',
  DEV: 'You write code that others can read, in small steps, each of which is tested.',
  QA: 'You look for what breaks: edge cases, wrong input, what happens twice or at the same time.',
  DEVOPS: 'You run what others write: builds, releases, configuration, failure and recovery.',
  DATA: 'You care for data: its shape, its quality, its migrations, and what happens to what is there already.',
};

const VIEWS: readonly string[] = [
  '',
  'Look for the least change that does the whole of it.',
  'Begin with how it will be tested, and let that shape the solution.',
  'Begin with what can go wrong, and rule it out by construction.',
  'Look for a way that the others are unlikely to propose, and say honestly what it costs.',
  'Look at it as the person who has to maintain it in two years.',
  'Look at it as the person who uses it, and what that person sees at each step.',
  'Look for what is there already and can be used as it is.',
  'Look at time and memory: what grows, with what, and where it stops.',
];

/** Hundredths of the Council's temperature, by agent. */
const WARMTH: readonly number[] = [100, 130, 85, 115, 145, 75, 125, 95, 110];
const MAX_HUNDREDTHS = 200;

/** `index` from 0. */
export const personaOf = (role: string, index: number): string =>
  [ROLES[role] ?? `You work as ${role}.`, VIEWS[index % VIEWS.length] ?? ''].filter((part) => part !== '').join(' ');

/** A decimal string, as the Council's own is. */
export const temperatureOf = (temperature: string, index: number): string => {
  const hundredths = Math.round((Math.round(Number(temperature) * 100) * (WARMTH[index % WARMTH.length] ?? 100)) / 100);
  const bounded = Math.min(MAX_HUNDREDTHS, Math.max(0, hundredths));
  return index === 0 ? temperature : String(bounded / 100);
};
