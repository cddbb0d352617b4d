// What the caches are worth as evidence that something is not there.

import { compareResourceVersions } from '../../kube/object.ts';
import type { Watching, WatchedCluster } from '../cluster/watched-cluster.ts';
import type { Sight, SweptCluster } from './sweep.ts';

type View = Pick<WatchedCluster, 'exists' | 'versions'> & { readonly stories: Pick<WatchedCluster['stories'], 'size'> };

export const sweptCluster = (view: View, watching: Pick<Watching, 'notSynced' | 'broken'>): SweptCluster => {
  let seen: readonly (string | undefined)[] = [];
  const sight = (): Sight => {
    if (watching.notSynced().length > 0 || watching.broken().length > 0) return 'blind';
    const before = seen;
    seen = view.versions();
    // a restored API server counts on from its backup
    const isOlder = seen.some((version, at) => compareResourceVersions(version ?? '', before[at] ?? '') < 0);
    // a cluster whose last Story went keeps what it has until there is another: it may have lost its data
    return isOlder || view.stories.size === 0 ? 'another' : 'certain';
  };
  return { exists: (uid) => view.exists(uid), sight };
};
