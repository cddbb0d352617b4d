// What a change of a Story's phase tells the outside.

import type { StoryPhase } from '../../crds/kinds/story.ts';
import type { WantedEvent } from '../outbox.ts';
import { timestamp } from '../../crds/time.ts';
import { wireId, wirePhase } from '../wire-names.ts';
import type { StorySeen } from './seen.ts';

/** The events of a phase that the Story comes to; its first one is preceded by its creation. */
export const storyEvents = ({ story }: StorySeen, phase: StoryPhase, now: number): readonly WantedEvent[] => {
  const before = story.status?.phase;
  const id = wireId(story);
  const created = { story_id: id, title: story.spec.title, phase: wirePhase('Draft'), timestamp: timestamp(now) };
  const moved = {
    story_id: id,
    from_phase: wirePhase(before ?? 'Draft'),
    to_phase: wirePhase(phase),
    timestamp: timestamp(now),
  };
  return [
    ...(before === undefined ? [{ type: 'planning.story.created', data: created }] : []),
    ...(phase === (before ?? 'Draft') ? [] : [{ type: 'planning.story.transitioned', data: moved }]),
  ];
};
