// A pure function of an object that never changes need not be computed twice. Caches hold frozen objects, and each pass asks the same
// of the same ones.
// May: remember as long as the object lives. May not: remember anything of an object that could still change.

/** As `compute`, but once for each frozen object. */
export const remember = <Key extends object, Value>(compute: (key: Key) => Value): ((key: Key) => Value) => {
  const known = new WeakMap<Key, { readonly value: Value }>();
  return (key) => {
    const found = known.get(key);
    if (found !== undefined) return found.value;
    const value = compute(key);
    if (Object.isFrozen(key)) known.set(key, { value });
    return value;
  };
};
