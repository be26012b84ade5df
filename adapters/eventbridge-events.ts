import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { PetraError } from '../core/errors.ts';
import type { LedgerEvent } from '../core/fleet.ts';
import type { Events } from '../core/ports.ts';
import { codeOfAwsError, translateAwsError } from './aws-errors.ts';

/** Lines of the ledger as events of the source `petra`, whose detail is the line as it is. */
export class EventBridgeEvents implements Events {
  readonly #client: EventBridgeClient;
  readonly #bus: string;

  /** `bus`: the name or ARN of an event bus. */
  constructor(client: EventBridgeClient, bus: string) {
    this.#client = client;
    this.#bus = bus;
  }

  async publish(event: Omit<LedgerEvent, 'seq'>): Promise<void> {
    const doing = `publish that ${event.verb} of ${event.cluster} ${event.outcome}`;
    const entry = {
      EventBusName: this.#bus,
      Source: 'petra',
      DetailType: 'Petra Operation',
      Time: new Date(event.at),
      Detail: JSON.stringify(event),
    };
    const answer = await this.#client.send(new PutEventsCommand({ Entries: [entry] })).catch((error) => {
      throw translateAwsError(error, doing);
    });
    // An event can be refused in an answer that is otherwise a success.
    const refused = answer.Entries?.find(({ ErrorCode }) => ErrorCode !== undefined);
    if (refused === undefined) return;
    const { ErrorCode = '', ErrorMessage = '' } = refused;
    const code = codeOfAwsError(ErrorCode) ?? 'AwsUnavailable';
    throw new PetraError(code, `cannot ${doing}: ${ErrorCode}: ${ErrorMessage}`, {
      details: { awsError: ErrorCode },
    });
  }
}
