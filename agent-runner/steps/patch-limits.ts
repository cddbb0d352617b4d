// The brief's limits as the patch checks want them. Pure.
import type { Brief } from '../../crds/contracts/brief.ts';
import type { PatchLimits } from '../git/patch-checks.ts';

export const patchLimitsOf = ({ task, limits }: Brief): PatchLimits => ({
  patchBytes: limits.patchBytes,
  patchFiles: limits.patchFiles,
  protectedPaths: limits.protectedPaths,
  fileScope: task.fileScope,
});
