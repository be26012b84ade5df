import type { TaggedResource, TaggedResources } from '../../core/ports.ts';
import type { Collection, Disk } from '../disk.ts';
import type { Faults } from '../faults.ts';
import { refuseIfAsked } from './refusals.ts';

/** A resource with its tags, as a service of the simulated cloud knows it. */
export interface Tagged extends TaggedResource {
  readonly tags: Readonly<Record<string, string>>;
}

/** A service's resources in a region, without those that are going away. */
export type TaggedSource = (region: string) => Iterable<Tagged>;

/**
 * Everything that exists, by tag: what the services of the simulated cloud hold, and what simulated controllers say
 * they made.
 */
export class SimulatedTaggedResources implements TaggedResources {
  readonly #added: Collection<Tagged & { readonly region: string }>;
  readonly #faults: Faults;
  readonly #sources: readonly TaggedSource[];

  constructor(parts: {
    readonly disk: Disk;
    readonly faults: Faults;
    readonly sources: readonly TaggedSource[];
  }) {
    this.#added = parts.disk.collection('cloud.tagged');
    this.#faults = parts.faults;
    this.#sources = parts.sources;
  }

  async find(
    region: string,
    tag: { readonly key: string; readonly value: string },
  ): Promise<readonly TaggedResource[]> {
    refuseIfAsked(this.#faults, 'ec2', 'DescribeTags', `look for ${tag.key}=${tag.value} in ${region}`);
    const found: TaggedResource[] = [];
    for (const { type, id, tags } of this.#all(region))
      if (tags[tag.key] === tag.value) found.push({ type, id });
    return found;
  }

  /** Records what a simulated controller made; an id already there is replaced. Safe to repeat. */
  async add(region: string, type: string, id: string, tags: Readonly<Record<string, string>>): Promise<void> {
    await this.#added.put(key(region, id), { region, type, id, tags });
  }

  /** Forgets it; one already gone is success. */
  async remove(region: string, id: string): Promise<void> {
    await this.#added.delete(key(region, id));
  }

  /** What simulated controllers made in a region. */
  *added(region: string): IterableIterator<Tagged> {
    for (const [, resource] of this.#added.entries()) if (resource.region === region) yield resource;
  }

  *#all(region: string): IterableIterator<Tagged> {
    for (const source of this.#sources) yield* source(region);
    yield* this.added(region);
  }
}

/** The tags that Petra gives to everything it makes. */
export function petraTags(owner: {
  readonly cluster: string;
  readonly uid: string;
}): Readonly<Record<string, string>> {
  return { 'petra.sh/uid': owner.uid, 'petra.sh/cluster': owner.cluster };
}

function key(region: string, id: string): string {
  return `${region}/${id}`;
}
