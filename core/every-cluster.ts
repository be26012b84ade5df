import type { ClusterRecord } from './fleet.ts';
import type { Ports } from './petra.ts';

/** Every cluster that a listing of the fleet has, a page at a time: of the whole fleet, or of one management cluster. */
export async function* everyCluster(
  { fleet }: Pick<Ports, 'fleet'>,
  query: { readonly management?: string } = {},
): AsyncGenerator<ClusterRecord, void, undefined> {
  let cursor: string | undefined;
  do {
    const page = await fleet.list({ ...query, ...(cursor === undefined ? {} : { cursor }) });
    yield* page.items;
    cursor = page.cursor;
  } while (cursor !== undefined);
}
