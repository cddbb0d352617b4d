// What comes of turns, as people read it.
import { describe, expect, it } from 'vitest';
import { artifactMarkdown, cell, changesMarkdown, inline } from '../../../../crds/deliberation/markdown.ts';
import { shapeOf } from '../../../../agent/turns/shapes.ts';
import { canonicalJson } from '../../../../crds/canonical.ts';
import { critique, plan, planBrief, proposal, scores, selection } from '../../agent/turns/turns.ts';

const stored = canonicalJson(shapeOf(planBrief('Proposal'), []).schema.parse(plan).value);

describe('the Markdown of', () => {
  it.each<[string, string, string]>([
    [
      'a revised proposal',
      canonicalJson({ ...proposal, risks: [], changes: ['Failures are counted.'] }),
      `> A form that posts to the server.

## Approach

> Plain HTML; the server checks the passphrase.

## Steps

1. Write the form
2. Handle the post

## Files

- \`src/form/login.ts\`
- \`test/form/login.test.ts\`

## Tests

- npm run test:form

## Changes

- Failures are counted.
`,
    ],
    [
      'a plan',
      stored,
      `> One after the other.

## 1. form: Write the form

- DEV, BUILD
- may change \`src/form/**\`

> With name and passphrase.

Must end with 0:

- \`npm test\`

## 2. proof: Prove it

- DEV, TEST
- after form
- may change \`src/form/**\`

> With name and passphrase.

Must end with 0:

- \`npm test\`
`,
    ],
    [
      'a critique',
      canonicalJson(critique),
      `## Strengths

- It is small.

## Problems

1. **major**: No limit on tries. *Suggestion:* Count failures.
`,
    ],
    [
      'scores',
      canonicalJson(scores),
      `## A

- correctness: 700
- criterion 2: 400

> Right, but thinly tested.

## B

- correctness: 600
- criterion 2: 900

> Well tested.
`,
    ],
    [
      'a selection',
      canonicalJson(selection),
      'Chosen: **B**\n\n> It is tested.\n\n## What speaks against it\n\n> A is simpler.\n',
    ],
    [
      'a selection that nothing speaks against',
      canonicalJson({ ...selection, dissent: '' }),
      'Chosen: **B**\n\n> It is tested.\n',
    ],
    ['a patch', 'diff --git a/x b/x\n', '```\ndiff --git a/x b/x\n```\n'],
    ['a text with fences', 'a\n````\nb', '`````\na\n````\nb\n`````\n'],
    ['a text that hides a fence', '``\u0000`\n# b', '````\n```\n# b\n````\n'],
    ['JSON that is nothing of ours', '{"scores":[]}', '```\n{"scores":[]}\n```\n'],
    ['nothing', '', '```\n\n```\n'],
  ])('%s', (_title, content, want) => {
    expect(artifactMarkdown(content, { criteria: ['correctness'] })).toBe(want);
  });

  it('a hostile text keeps to its place and moves no terminal', () => {
    const hostile = '# Approved\n\u001b[2J\u202e> x\r\n## Score: 1000';
    const text = artifactMarkdown(canonicalJson({ ...selection, choice: 'B', rationale: hostile, dissent: '' }));
    expect(text).toBe('Chosen: **B**\n\n> # Approved\n> > x\n> ## Score: 1000\n');
    expect(artifactMarkdown(canonicalJson({ ...critique, strengths: [hostile] }))).toContain('- # Approved > x ## Score: 1000\n');
  });

  it.each([
    ['a tag that would end a quote', '</blockquote><h1>Won</h1>', '\\</blockquote>\\<h1>Won\\</h1>'],
    ['one that is escaped already', 'a \\<b>', 'a \\<b>'],
    ['one after an escaped backslash', 'a \\\\<b>', 'a \\\\\\<b>'],
    ['no tag', 'a < b, 1<2', 'a < b, 1<2'],
    ['lines', 'a\n# b', 'a # b'],
  ])('%s is words', (_, given, want) => {
    expect(inline(given)).toBe(want);
    expect(artifactMarkdown(canonicalJson({ ...selection, rationale: given, dissent: '' }))).toContain('\n> ');
  });

  it.each([
    ['a | b', 'a \\| b'],
    ['a \\| b', 'a \\| b'],
    ['a \\\\| b', 'a \\\\\\| b'],
  ])('%s stays in its cell', (given, want) => {
    expect(cell(given)).toBe(want);
  });

  it.each([
    [
      'a revision that tells them',
      canonicalJson({ ...proposal, changes: ['Failures\nare counted.'] }),
      '- Failures are counted.\n',
    ],
    ['one that tells none', canonicalJson(proposal), 'It names no changes.\n'],
    ['what has none', canonicalJson(critique), 'It names no changes.\n'],
    ['a patch', '+ a', '```\n+ a\n```\n'],
  ])('shows the changes of %s', (_, content, want) => {
    expect(changesMarkdown(content)).toBe(want);
  });

  it('headings stand below those of the page, and letters have names', () => {
    const nameOf = (label: string): string => `${label} of dev`;
    expect(artifactMarkdown(canonicalJson(scores), { level: 4, nameOf })).toMatch(/^#### A of dev\n/);
    expect(artifactMarkdown(canonicalJson(selection), { level: 4, nameOf })).toMatch(
      /^Chosen: \*\*B of dev\*\*\n[^]*\n#### What/,
    );
  });
});
