// Whose writes they were, by the names of the objects.

import type { AuditedWrite } from '../test/environment/audit.ts';

/** A courier's Job has in its name a c where an attempt's has an a (docs/contracts.md, section 2). */
export const isCourier = ({ objectName }: Pick<AuditedWrite, 'objectName'>): boolean =>
  /^fleet-ws-.*-c\d+(c\d+)?(-\d+)?-[0-9a-f]{16}$/.test(objectName);
