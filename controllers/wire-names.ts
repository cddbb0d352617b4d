// How our objects are called in events: old clients know a thing by the id they gave it, others by its object name.

interface Named {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly externalId?: string | undefined };
}

export const wireId = ({ metadata, spec }: Named): string => spec.externalId ?? metadata.name;
/** Phases on the wire are in capitals. */
export const wirePhase = (phase: string): string => phase.toUpperCase();
