// Which row of the table a Story's repository selects: URL and namespace -> row and path, or why not.

import { describe, expect, it } from 'vitest';
import type { Upstream } from '../../../crds/contracts/platform.ts';
import { matchRepository } from '../../../gateway/upstream/repository-url.ts';

const row = (name: string, change: Partial<Upstream> = {}): Upstream => ({
  ...{ name, kind: 'git', scheme: 'https', host: 'git.example.com', prefix: '/', namespaces: ['*'] },
  ...{ credentials: false, ca: false, allowPrivate: false },
  ...change,
});

const TABLE: readonly Upstream[] = [
  row('team', { prefix: '/team', namespaces: ['team'] }),
  row('team-deep', { prefix: '/team/deep/', namespaces: ['team'] }),
  row('plain', { scheme: 'http', host: 'git.internal:8080', prefix: '/', allowPrivate: true }),
  row('port', { host: 'git.example.com:8443', prefix: '/' }),
  row('model', { kind: 'model', host: 'model.example.com' }),
  row('one', { host: 'one.example.com', prefix: '/only/this.git' }),
];

describe('a repository that is served', () => {
  it.each([
    ['https://git.example.com/team/app.git', 'team', '/team/app.git'],
    ['https://GIT.example.com/team/app', 'team', '/team/app'],
    ['https://git.example.com:443/team/app', 'team', '/team/app'],
    ['https://git.example.com/team/app/', 'team', '/team/app'],
    ['https://git.example.com/team/deep/app', 'team-deep', '/team/deep/app'],
    ['https://git.example.com/team/deeper/app', 'team', '/team/deeper/app'],
    ['http://git.internal:8080/x', 'plain', '/x'],
    ['https://git.example.com:8443/x/y', 'port', '/x/y'],
    ['https://one.example.com/only/this.git', 'one', '/only/this.git'],
  ])('%s is row %s', (url, name, path) => {
    expect(matchRepository(url, 'team', TABLE)).toMatchObject({ ok: true, upstream: { name }, path });
  });
});

describe('a repository that is not served', () => {
  it.each([
    ['another host', 'https://evil.example.com/team/app'],
    ['a host that ends like ours', 'https://notgit.example.com/team/app'],
    ['a host that begins like ours', 'https://git.example.com.evil.com/team/app'],
    ['our host as a user name', 'https://git.example.com@evil.com/team/app'],
    ['credentials in the URL', 'https://user:password@git.example.com/team/app'],
    ['another scheme', 'http://git.example.com/team/app'],
    ['no http at all', 'ssh://git.example.com/team/app'],
    ['a file', 'file:///etc/passwd'],
    ['an option of git', '--upload-pack=touch /tmp/x'],
    ['another port', 'https://git.example.com:444/team/app'],
    ['a prefix that is only the beginning of a segment', 'https://git.example.com/teammate/app'],
    ['a path that climbs out', 'https://git.example.com/team/../other/app'],
    ['a path that climbs out, encoded', 'https://git.example.com/team/%2e%2e/other/app'],
    ['an encoded slash', 'https://git.example.com/team%2fother/app'],
    ['a backslash', 'https://git.example.com/team\\..\\other'],
    ['an empty segment', 'https://git.example.com/team//app'],
    ['a lone dot', 'https://git.example.com/team/./app'],
    ['a query', 'https://git.example.com/team/app?service=x'],
    ['a fragment', 'https://git.example.com/team/app#x'],
    ['a line break', 'https://git.example.com/team/app\nHost: evil'],
    ['white space', 'https://git.example.com/team/a b'],
    ['no path', 'https://git.example.com'],
    ['nothing but the slash', 'https://git.example.com/'],
    ['a host of another kind of row', 'https://model.example.com/team/app'],
    ['beside a row that is one repository', 'https://one.example.com/only/that.git'],
  ])('%s', (_what, url) => {
    expect(matchRepository(url, 'team', TABLE)).toMatchObject({ ok: false });
  });

  it("another namespace's row", () => {
    expect(matchRepository('https://git.example.com/team/app', 'other', TABLE)).toMatchObject({ ok: false });
  });
});
