// Petra's own records in the virtual account, read past its API.

import { connectDynamoDb } from '../../adapters/dynamodb-client.ts';
import { DynamoDbFleetStore } from '../../adapters/dynamodb-fleet-store.ts';
import { DynamoDbResourceLedger } from '../../adapters/dynamodb-resource-ledger.ts';
import type { ClusterRecord, ResourceRecord } from '../../core/fleet.ts';
import type { VirtualAccount } from './account.ts';

export class FleetRecords {
  readonly #fleet: DynamoDbFleetStore;
  readonly #resources: DynamoDbResourceLedger;

  constructor({ moto, functions }: VirtualAccount) {
    const table = functions
      .map(({ environment }) => environment.FLEET_TABLE)
      .find((name) => name !== undefined);
    if (table === undefined) throw new Error('no function knows the table');
    const client = connectDynamoDb(moto.config);
    this.#fleet = new DynamoDbFleetStore(client, table);
    this.#resources = new DynamoDbResourceLedger(client, table);
  }

  async cluster(name: string): Promise<ClusterRecord> {
    const record = await this.#fleet.find(name);
    if (!record) throw new Error(`the fleet has no record of ${name}`);
    return record;
  }

  /** What the resource ledger says exists. */
  async living({ name, uid }: Pick<ClusterRecord, 'name' | 'uid'>): Promise<readonly ResourceRecord[]> {
    const all = await this.#resources.list(name, uid);
    return all.filter(({ state }) => state !== 'removed');
  }
}
