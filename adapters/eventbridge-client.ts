import { EventBridgeClient, type EventBridgeClientConfig } from '@aws-sdk/client-eventbridge';
import { awsCalls } from './aws-calls.ts';

/** A client of EventBridge; `config` may name a region or an endpoint. */
export function connectEventBridge(config: EventBridgeClientConfig = {}): EventBridgeClient {
  return new EventBridgeClient({ ...awsCalls, ...config });
}
