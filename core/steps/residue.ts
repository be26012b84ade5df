import { capaTag } from '../capi/capa-tag.ts';
import { PetraError } from '../errors.ts';
import type { ResidueLine } from '../fleet.ts';
import { type EndPorts, isOver, type StepContext, type StepInput } from './context.ts';
import { succeed } from './finish.ts';
import type { StepOutput } from './run-step.ts';

/**
 * Looks both ways: by tag for what no ledger knows, and through the resource ledger for what was recorded and never
 * seen removed. What the ledger only intended, and no tag shows, was never made.
 */
async function findResidue(context: StepContext<'tagged' | 'resources'>): Promise<ResidueLine[]> {
  const { record } = context;
  const searches = [{ type: "Petra's AWS resources", tag: { key: 'petra.sh/uid', value: record.uid } }];
  // CAPA's tag has the name alone: where nothing was applied, what carries it is another cluster's.
  if (record.kind === 'workload' && record.materialized) {
    searches.unshift({ type: "Cluster API's AWS resources", tag: capaTag(record.name) });
  }
  const byTag = await Promise.all(
    searches.map(async ({ type, tag }) => ({
      type,
      searched: `tag ${tag.key}=${tag.value} in ${record.region}`,
      found: (await context.tagged.find(record.region, tag)).map((one) => `${one.type} ${one.id}`),
    })),
  );
  const recorded = await context.resources.list(record.name, record.uid);
  return [
    ...byTag,
    {
      type: 'Recorded resources',
      searched: `resource ledger of ${record.uid}: ${recorded.length} entries`,
      found: recorded
        .filter(({ state }) => state === 'made')
        .map(({ type, key, id }) => `${type} ${key} ${id}`),
    },
  ];
}

/** Whether nothing of the cluster is left. @throws ResidueFound with what is. */
export async function checkResidue(
  context: StepContext<'tagged' | 'resources'>,
  input: StepInput,
): Promise<StepOutput> {
  const residue = await findResidue(context);
  const found = residue.flatMap((line) => line.found);
  if (found.length === 0) return { gone: true, message: 'nothing is left' };
  const message = `${found.length} resources are still there`;
  if (!isOver(context, input)) return { gone: false, message };
  throw new PetraError('ResidueFound', `${message} of "${context.record.name}"`, {
    evidence: residue.flatMap((line) => line.found.map((id) => `${line.type}: ${id}`)),
  });
}

/** Ends a removal: the record becomes a tombstone, the name is free, the operation keeps the residue report. */
export async function recordRemoved(
  context: StepContext<'tagged' | 'resources' | keyof EndPorts>,
): Promise<StepOutput> {
  await context.operations.keepResidue(context.operation.id, await findResidue(context));
  return succeed(context, { phase: 'Deleted', deletedAt: context.clock.now().toISOString() });
}
