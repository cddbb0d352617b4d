import { describe, expect, it } from 'vitest';
import { project, type FieldsOf } from '../../../kube/projection.ts';

interface Thing {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly parts?: readonly { readonly id: number; readonly note?: string }[];
  readonly spec?: { readonly size: number; readonly text: string };
}

const fields: FieldsOf<Thing> = { name: true, labels: true, parts: { id: true, note: false }, spec: { size: true, text: false } };

describe('a projection', () => {
  it('keeps what is named, in lists too, and nothing else', () => {
    const whole = {
      name: 'a',
      labels: { x: 'y' },
      parts: [{ id: 1, note: 'n' }, { id: 2 }],
      spec: { size: 3, text: 't' },
      more: 1,
    };
    expect(project(whole, fields)).toEqual({ name: 'a', labels: { x: 'y' }, parts: [{ id: 1 }, { id: 2 }], spec: { size: 3 } });
  });

  it('leaves absent what is absent', () => {
    expect(project({ name: 'a' }, fields)).toEqual({ name: 'a' });
  });

  it.each([
    ['text', 'x'],
    ['no object', null],
    ['a list', []],
  ])('lets %s through, for whoever looks at shapes', (_, value) => {
    expect(project(value, fields)).toEqual(value);
  });

  it('takes no field that an object only inherits', () => {
    expect(project(JSON.parse('{"name":"a","__proto__":{"spec":{"size":1}}}'), fields)).toEqual({ name: 'a' });
  });
});
