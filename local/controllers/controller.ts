// Runs controllers against a store: watches it, queues what changed, and calls them with the object as it is now.

import { messageOf } from '../../core/errors.ts';
import type { KubernetesObject } from '../../core/ports.ts';
import { ApiStatusError } from '../kubernetes/api-status.ts';
import type { ObjectStore } from '../kubernetes/object-store.ts';
import { isKind, type Kind, kinds } from './kinds.ts';
import { ManagerWatch } from './managers.ts';
import { type Again, WorkQueue } from './work-queue.ts';

/** An object's name within its kind. */
export interface ObjectName {
  readonly name: string;
  readonly namespace?: string | undefined;
}

/** Objects of another kind whose changes concern the controller, and which of its own objects they wake. */
export interface Wake {
  readonly kind: Kind;
  /** Whether only their coming and going matters, not what they say. */
  readonly existence?: true;
  /** `all` wakes every object of the controller's kind: in the same namespace, if the other one is in one. */
  wakes(object: KubernetesObject): readonly ObjectName[] | 'all';
}

export interface Controller {
  readonly name: string;
  readonly kind: Kind;
  /** The Deployment this controller is part of: it works only while that is available. */
  readonly manager?: string;
  readonly wakes?: readonly Wake[];
  /**
   * Brings the world one step nearer to what the object says. Called again after every change of the object, and
   * after the returned real milliseconds; must be safe to repeat.
   */
  reconcile(object: KubernetesObject): Promise<Again>;
}

interface Entry {
  readonly controller: Controller;
  readonly queue: WorkQueue;
}

export interface RunningControllers {
  /** Looks at an object again although nothing of it changed in this store. */
  wake(kind: Kind, name: ObjectName): void;
  /** Stops watching and lets running work end. */
  stop(): Promise<void>;
}

/** Starts controllers; they look at every object that exists, and so go on where a killed process stopped. */
export function runControllers(
  store: ObjectStore,
  controllers: readonly Controller[],
  log: (line: string) => void,
): RunningControllers {
  const managers = new ManagerWatch();
  const entries: Entry[] = controllers.map((controller) => ({
    controller,
    queue: new WorkQueue({
      work: (key) => reconcileKey(store, controller, managers, key),
      onError: (key, error, attempt) => {
        if (isExpected(error) && attempt < 5) return;
        const why = messageOf(error);
        log(`${controller.name}: ${controller.kind.kind} ${key}: ${why} (attempt ${attempt})`);
      },
    }),
  }));

  const addAll = ({ controller, queue }: Entry, namespace?: string) => {
    const { apiVersion, kind } = controller.kind;
    for (const { metadata } of store.list(apiVersion, kind, { namespace })) queue.add(keyOf(metadata));
  };
  const stopWatching = store.watch(({ type, object }) => {
    const started = managers.observe(object, type === 'DELETED');
    for (const entry of entries) {
      const { controller, queue } = entry;
      if (isKind(object, controller.kind)) queue.add(keyOf(object.metadata));
      for (const { kind, existence, wakes } of controller.wakes ?? []) {
        if (!isKind(object, kind) || (existence && type === 'MODIFIED')) continue;
        const names = wakes(object);
        if (names === 'all') addAll(entry, object.metadata.namespace);
        else for (const name of names) queue.add(keyOf(name));
      }
      if (started !== undefined && controller.manager === started) addAll(entry);
    }
  });
  const { apiVersion, kind } = kinds.deployment;
  for (const deployment of store.list(apiVersion, kind)) managers.observe(deployment, false);
  for (const entry of entries) addAll(entry);

  return {
    wake: (woken, name) => {
      for (const { controller, queue } of entries) {
        if (isKind(controller.kind, woken)) queue.add(keyOf(name));
      }
    },
    stop: async () => {
      stopWatching();
      await Promise.all(entries.map(({ queue }) => queue.stop()));
    },
  };
}

async function reconcileKey(
  store: ObjectStore,
  controller: Controller,
  managers: ManagerWatch,
  key: string,
): Promise<Again> {
  // All of a manager's objects are looked at again when it becomes available, so nothing is lost here.
  if (controller.manager !== undefined && !managers.isAvailable(controller.manager)) return undefined;
  const slash = key.indexOf('/');
  const { apiVersion, kind } = controller.kind;
  const namespace = key.slice(0, slash);
  const object = store.get(apiVersion, kind, namespace === '' ? undefined : namespace, key.slice(slash + 1));
  return object && controller.reconcile(object);
}

/** Another writer was faster, or the object went away meanwhile: looking again settles both. */
function isExpected(error: unknown): boolean {
  return error instanceof ApiStatusError && (error.code === 409 || error.code === 404);
}

function keyOf({ namespace, name }: ObjectName): string {
  return `${namespace ?? ''}/${name}`;
}

/** Wakes the owner of this kind, for a controller that owns objects of `kind`. */
export function wakesOwner(kind: Kind, owner: Kind): Wake {
  return {
    kind,
    wakes: ({ metadata }) =>
      (metadata.ownerReferences ?? [])
        .filter((reference) => isKind(reference, owner))
        .map(({ name }) => ({ name, namespace: metadata.namespace })),
  };
}
