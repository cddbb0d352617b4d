import { describe, expect, it } from 'vitest';
import { isCourier } from '../../../bench/audit.ts';
import { BareWalk, jobOf, nameOf } from '../../../bench/bare-walk.ts';
import { task, work } from '../../builders/objects.ts';
import { wantedJobName } from '../../../controllers/task/job-identity.ts';

const begin = (given: ConstructorParameters<typeof BareWalk>[0]) => {
  const sent: string[] = [];
  const walk = new BareWalk(given, (kind, one) => sent.push(nameOf(kind, one)));
  walk.start();
  return { walk, sent, end: (name: string) => walk.ended(...jobOf(name)) };
};

describe('the walk of the bare client', () => {
  it('has no more attempts than places, and a Task keeps its place until its courier has ended', () => {
    const { sent, end } = begin({ stories: 2, tasksPerStory: 2, places: 2 });
    expect(sent).toEqual(['attempt-0-0', 'attempt-1-0']);
    end('attempt-0-0');
    expect(sent.splice(2)).toEqual(['courier-0-0']);
    end('courier-0-0');
    expect(sent.splice(2)).toEqual(['attempt-0-1']);
  });

  it('has one courier a Story at a time', () => {
    const { walk, sent, end } = begin({ stories: 1, tasksPerStory: 3, places: 3 });
    for (const n of [0, 1, 2]) end(`attempt-0-${n}`);
    expect(sent.slice(3)).toEqual(['courier-0-0']);
    end('courier-0-0');
    expect(sent.slice(4)).toEqual(['courier-0-1']);
    end('courier-0-1');
    end('courier-0-2');
    expect(walk.finishedAtMs).toHaveLength(3);
  });
});

describe("a courier's Job", () => {
  it.each([
    [{ kind: 'attempt' }, false],
    [{ kind: 'courier' }, true],
    [{ kind: 'courier', courierTry: 2 }, true],
    [{ kind: 'courier', candidate: 2 }, true],
  ] as const)('is told by its name: %j', (wanted, want) => {
    const objectName = wantedJobName(task(work('a1-c1')), { n: 1, candidate: 1, courierTry: 1, ...wanted });
    expect(isCourier({ objectName })).toBe(want);
  });
});
