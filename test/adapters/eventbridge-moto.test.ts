import {
  CreateArchiveCommand,
  CreateEventBusCommand,
  DescribeArchiveCommand,
  type EventBridgeClient,
} from '@aws-sdk/client-eventbridge';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectEventBridge } from '../../adapters/eventbridge-client.ts';
import { EventBridgeEvents } from '../../adapters/eventbridge-events.ts';
import { type Moto, startMoto } from '../moto/start-moto.ts';

const event = {
  cluster: 'payments',
  uid: '4f9d',
  at: '2026-11-23T12:00:00.000Z',
  operationId: 'create-payments-4f9d-1',
  verb: 'create',
  outcome: 'failed',
  code: 'ClusterTimedOut',
  message: 'not ready: ümläut',
  caller: 'arn:aws:iam::123456789012:user/me',
} as const;

describe('events on EventBridge', () => {
  let moto: Moto;
  let client: EventBridgeClient;
  beforeAll(async () => {
    moto = await startMoto();
    client = connectEventBridge(moto.config);
  });
  afterAll(async () => {
    client?.destroy();
    await moto?.stop();
  });

  /** A client that notes what it sends, and gives this answer if there is one. */
  function observed(answer?: object) {
    const sent: unknown[] = [];
    const watched = connectEventBridge(moto.config);
    watched.middlewareStack.add(
      (next) => async (args) => {
        sent.push(args.input);
        // Only what the adapter reads of an answer is given.
        return answer === undefined ? next(args) : { output: { $metadata: {}, ...answer }, response: {} };
      },
      { step: 'initialize' },
    );
    return { client: watched, sent };
  }

  it('reach the bus, where rules know them by source and type', async () => {
    const { EventBusArn } = await client.send(new CreateEventBusCommand({ Name: 'petra' }));
    for (const [ArchiveName, source] of [
      ['ours', 'petra'],
      ['others', 'other'],
    ])
      await client.send(
        new CreateArchiveCommand({
          ArchiveName,
          EventSourceArn: EventBusArn,
          EventPattern: JSON.stringify({ source: [source], 'detail-type': ['Petra Operation'] }),
        }),
      );
    await new EventBridgeEvents(client, 'petra').publish(event);
    const count = async (ArchiveName: string) =>
      (await client.send(new DescribeArchiveCommand({ ArchiveName }))).EventCount;
    expect(await count('ours')).toBe(1);
    expect(await count('others')).toBe(0);
  });

  it('are the line of the ledger, at its time', async () => {
    const { client: watched, sent } = observed({ FailedEntryCount: 0, Entries: [{ EventId: '1' }] });
    await new EventBridgeEvents(watched, 'petra').publish(event);
    expect(sent).toEqual([
      {
        Entries: [
          {
            EventBusName: 'petra',
            Source: 'petra',
            DetailType: 'Petra Operation',
            Time: new Date(event.at),
            Detail: JSON.stringify(event),
          },
        ],
      },
    ]);
  });

  it.each([
    ['ThrottlingException', 'Throttled'],
    ['InternalFailure', 'AwsUnavailable'],
    ['NotAuthorizedForSourceException', 'AwsUnavailable'],
  ])('that are refused one by one, for %s, fail as %s', async (ErrorCode, code) => {
    const answer = { FailedEntryCount: 1, Entries: [{ ErrorCode, ErrorMessage: 'refused' }] };
    const events = new EventBridgeEvents(observed(answer).client, 'petra');
    await expect(events.publish(event)).rejects.toMatchObject({
      code,
      message: `cannot publish that create of payments failed: ${ErrorCode}: refused`,
    });
  });

  it('that do not reach EventBridge fail as what can be tried again', async () => {
    const nowhere = connectEventBridge({ ...moto.config, endpoint: 'http://127.0.0.1:1', maxAttempts: 1 });
    await expect(new EventBridgeEvents(nowhere, 'petra').publish(event)).rejects.toMatchObject({
      code: 'AwsUnavailable',
    });
  });
});
