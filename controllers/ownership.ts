// How an object says whose child it is: one controller, which does not hold up its own deletion for it.

import { API_VERSION, type OwnerReference } from '../crds/kinds/meta.ts';
import type { Kind } from '../crds/kinds/registry.ts';

interface Owner {
  readonly metadata: { readonly name: string; readonly uid: string };
}

export const controlledBy = (kind: Kind, { metadata }: Owner): OwnerReference => ({
  apiVersion: API_VERSION,
  kind,
  name: metadata.name,
  uid: metadata.uid,
  controller: true,
  blockOwnerDeletion: false,
});
