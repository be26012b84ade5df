import type { Command } from 'commander';
import type { Context } from './context.ts';

/** Adds a command to its parent. */
export type Register = (parent: Command, context: Context) => void;

/** A command and how to load it. */
export interface CommandEntry {
  readonly group?: 'capi' | 'config' | 'local';
  readonly name: string;
  readonly load: () => Promise<Register>;
}

/** What the groups are for. */
export const groups = {
  capi: 'manage clusters through Cluster API',
  config: 'which Petra commands talk to',
  local: 'the Petra on this machine, with simulated AWS and Kubernetes',
} as const;

/** Every command, in the order of the help. Loaded one by one: a command pays only for itself. */
export const commandTable: readonly CommandEntry[] = [
  { group: 'capi', name: 'init', load: async () => (await import('./commands/capi/init.ts')).registerInit },
  {
    group: 'capi',
    name: 'create',
    load: async () => (await import('./commands/capi/create.ts')).registerCreate,
  },
  {
    group: 'capi',
    name: 'preflight',
    load: async () => (await import('./commands/capi/preflight.ts')).registerPreflight,
  },
  { group: 'capi', name: 'list', load: async () => (await import('./commands/capi/list.ts')).registerList },
  {
    group: 'capi',
    name: 'cluster-kubeconfig',
    load: async () => (await import('./commands/capi/cluster-kubeconfig.ts')).registerClusterKubeconfig,
  },
  {
    group: 'capi',
    name: 'describe',
    load: async () => (await import('./commands/capi/describe.ts')).registerDescribe,
  },
  {
    group: 'capi',
    name: 'delete',
    load: async () => (await import('./commands/capi/delete.ts')).registerDelete,
  },
  {
    group: 'capi',
    name: 'destroy',
    load: async () => (await import('./commands/capi/destroy.ts')).registerDestroy,
  },
  {
    group: 'capi',
    name: 'render',
    load: async () => (await import('./commands/capi/render.ts')).registerRender,
  },
  {
    group: 'capi',
    name: 'operations',
    load: async () => (await import('./commands/capi/operations.ts')).registerOperations,
  },
  {
    group: 'capi',
    name: 'events',
    load: async () => (await import('./commands/capi/events.ts')).registerEvents,
  },
  {
    group: 'capi',
    name: 'findings',
    load: async () => (await import('./commands/capi/findings.ts')).registerFindings,
  },
  {
    group: 'capi',
    name: 'unlock',
    load: async () => (await import('./commands/capi/unlock.ts')).registerUnlock,
  },
  {
    group: 'config',
    name: 'use-stack',
    load: async () => (await import('./commands/config/use-stack.ts')).registerUseStack,
  },
  {
    group: 'config',
    name: 'show',
    load: async () => (await import('./commands/config/show.ts')).registerConfigShow,
  },
  {
    group: 'config',
    name: 'reset',
    load: async () => (await import('./commands/config/reset.ts')).registerConfigReset,
  },
  { group: 'local', name: 'up', load: async () => (await import('./commands/local/up.ts')).registerLocalUp },
  {
    group: 'local',
    name: 'status',
    load: async () => (await import('./commands/local/status.ts')).registerLocalStatus,
  },
  {
    group: 'local',
    name: 'logs',
    load: async () => (await import('./commands/local/logs.ts')).registerLocalLogs,
  },
  {
    group: 'local',
    name: 'down',
    load: async () => (await import('./commands/local/down.ts')).registerLocalDown,
  },
  {
    group: 'local',
    name: 'reset',
    load: async () => (await import('./commands/local/reset.ts')).registerLocalReset,
  },
  { name: 'validate', load: async () => (await import('./commands/validate.ts')).registerValidate },
  { name: 'schema', load: async () => (await import('./commands/schema.ts')).registerSchema },
  { name: 'completion', load: async () => (await import('./commands/completion.ts')).registerCompletion },
  { name: 'version', load: async () => (await import('./commands/version.ts')).registerVersion },
  { name: '__complete', load: async () => (await import('./commands/complete.ts')).registerComplete },
];
