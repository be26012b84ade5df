import { EventBridgeClient, type EventBridgeClientConfig } from '@aws-sdk/client-eventbridge';
import { awsCalls } from './aws-calls.ts';

/**
 * A step waits until it has told the world, and is not to fail because it cannot: an event may be lost, so little is
 * tried for it.
 */
const impatient = {
  maxAttempts: 2,
  requestHandler: { ...awsCalls.requestHandler, requestTimeout: 3_000, socketTimeout: 3_000 },
};

/** A client of EventBridge; `config` may name a region or an endpoint. */
export function connectEventBridge(config: EventBridgeClientConfig = {}): EventBridgeClient {
  return new EventBridgeClient({ ...awsCalls, ...impatient, ...config });
}
