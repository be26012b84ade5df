import { EmfMetrics } from '../../adapters/emf-metrics.ts';
import { connectEventBridge } from '../../adapters/eventbridge-client.ts';
import { EventBridgeEvents } from '../../adapters/eventbridge-events.ts';
import type { Events, Metrics } from '../../core/ports.ts';
import { requireEnv } from '../env.ts';
import { writeLine } from '../write-line.ts';
import { systemClock } from './clock.ts';

export function events(): Events {
  return new EventBridgeEvents(connectEventBridge(), requireEnv('EVENT_BUS'));
}

export function metrics(): Metrics {
  return new EmfMetrics(writeLine, systemClock);
}
