import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { LivenessProbe, ReadinessProbe } from './pod-probes.ts';

/** A container that answers probes, well or ill. */
async function containerAnswering() {
  const state = { isWell: true, probes: 0 };
  const server = createServer((request, response) => {
    state.probes += 1;
    response.statusCode = state.isWell && request.url === '/healthz' ? 200 : 500;
    response.end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  // A TCP server's address is an object.
  const { port } = server.address() as AddressInfo;
  const container = { name: 'manager', image: 'x', ports: [{ name: 'healthz', containerPort: port }] };
  return { state, target: { host: '127.0.0.1', containers: [container] } };
}

const httpGet = { path: '/healthz', port: 'healthz' };

test('a container without a readiness probe is ready when it runs', async () => {
  const { target } = await containerAnswering();
  expect(await new ReadinessProbe(undefined, target, false).isReady()).toBe(true);
});

test('a container is ready after the first good answer, and until as many bad ones as its threshold', async () => {
  const { state, target } = await containerAnswering();
  state.isWell = false;
  const probe = new ReadinessProbe({ httpGet, periodSeconds: 0, failureThreshold: 2 }, target, false);
  expect(await probe.isReady()).toBe(false);
  state.isWell = true;
  expect(await probe.isReady()).toBe(true);
  state.isWell = false;
  expect(await probe.isReady()).toBe(true);
  expect(await probe.isReady()).toBe(false);
});

test('an eager probe waits for nothing until the first success, then keeps the period', async () => {
  const { state, target } = await containerAnswering();
  state.isWell = false;
  const probe = new ReadinessProbe({ httpGet, initialDelaySeconds: 60, periodSeconds: 60 }, target, true);
  for (let round = 1; round <= 3; round += 1) await probe.isReady();
  expect(state.probes).toBe(3);
  state.isWell = true;
  for (let round = 1; round <= 3; round += 1) expect(await probe.isReady()).toBe(true);
  expect(state.probes).toBe(4);
});

test('a probe that is not eager keeps its delay', async () => {
  const { state, target } = await containerAnswering();
  const probe = new ReadinessProbe({ httpGet, initialDelaySeconds: 0.05 }, target, false);
  expect(await probe.isReady()).toBe(false);
  expect(state.probes).toBe(0);
  await sleep(60);
  expect(await probe.isReady()).toBe(true);
});

test('a container is dead after as many failures in a row as its threshold', async () => {
  const { state, target } = await containerAnswering();
  const probe = new LivenessProbe({ httpGet, periodSeconds: 0, failureThreshold: 2 }, target);
  const seen: boolean[] = [];
  for (const isWell of [false, true, false, false]) {
    state.isWell = isWell;
    seen.push(await probe.isDead());
  }
  expect(seen).toEqual([false, false, false, true]);
  expect(await new LivenessProbe(undefined, target).isDead()).toBe(false);
});

test('a port that takes connections passes a TCP probe, another does not', async () => {
  const { target } = await containerAnswering();
  const good = new ReadinessProbe({ tcpSocket: { port: 'healthz' } }, target, true);
  expect(await good.isReady()).toBe(true);
  const bad = new ReadinessProbe({ tcpSocket: { port: 1 } }, target, true);
  expect(await bad.isReady()).toBe(false);
});

test('a probe that is not played is an error, not a success', () => {
  expect(() => new ReadinessProbe({}, { host: '', containers: [] }, true)).toThrow('does not play the probe');
});
