// What a machine is told that cannot hold a box.
import { describe, expect, it } from 'vitest';
import { obstaclesOf, type Machine } from '../../cluster/packages.ts';

const able: Machine = {
  platform: 'linux',
  root: true,
  apt: true,
  missing: [],
  go: true,
  namespaces: true,
  cgroups: true,
  cacheDir: '/root/.cache/swe-fleet',
  cacheOnOverlay: false,
};

describe('what stands in the way of a box', () => {
  const cases: readonly (readonly [string, Partial<Machine>, readonly RegExp[]])[] = [
    ['nothing on an able machine', {}, []],
    ['nothing when packages are missing that apt can install', { missing: ['runc'] }, []],
    ['nothing is said of namespaces that could not be tried', { namespaces: undefined }, []],
    [
      'the wrong system, and nothing else',
      { platform: 'darwin', root: false, go: false },
      [/^this is darwin, not Linux: .*SWEFLEET_KUBECONFIG$/],
    ],
    ['a user who is not root', { root: false }, [/^not root: .*sudo -E/]],
    ['no Go', { go: false }, [/^no Go 1\.26 or newer on the PATH: install it/]],
    [
      'packages that nothing can install, by name',
      { apt: false, missing: ['containerd', 'runc'] },
      [/install containerd, runc: install them/],
    ],
    ['refused namespaces', { namespaces: false }, [/^new namespaces are refused: .*privileged container$/]],
    ['no cgroups', { cgroups: false }, [/^no cgroups: mount/]],
    ['a cache on overlayfs', { cacheOnOverlay: true }, [/overlayfs.*SWEFLEET_CACHE/]],
    ['a cache that a box would not see', { cacheDir: '/run/user/0/swe-fleet' }, [/hidden inside a box: set SWEFLEET_CACHE/]],
    ['a cache whose path needs quotes', { cacheDir: '/home/my user/swe-fleet' }, [/my user.*SWEFLEET_CACHE to a plainer path/]],
    ['a cache whose path means more to buildah', { cacheDir: '/home/a:b/swe-fleet' }, [/a:b.*SWEFLEET_CACHE to a plainer path/]],
    ['all of it at once', { root: false, go: false, cgroups: false }, [/^not root/, /^no Go/, /^no cgroups/]],
  ];
  it.each(cases)('%s', (_, machine, want) => {
    const said = obstaclesOf({ ...able, ...machine });
    expect(said).toHaveLength(want.length);
    for (const [index, pattern] of want.entries()) expect(said[index]).toMatch(pattern);
  });
});
