import { connectStepFunctions } from '../../adapters/step-functions-client.ts';
import { StepFunctionsWorkflows } from '../../adapters/step-functions-workflows.ts';
import type { Workflows } from '../../core/ports.ts';
import { requireEnv } from '../env.ts';
import type { Calls } from './patience.ts';

// A function that begins a verb starts no other.

export function initWorkflow(calls: Calls = {}): Workflows {
  return new StepFunctionsWorkflows(connectStepFunctions(calls), { init: requireEnv('INIT_STATE_MACHINE') });
}

export function createWorkflow(calls: Calls = {}): Workflows {
  return new StepFunctionsWorkflows(connectStepFunctions(calls), {
    create: requireEnv('CREATE_STATE_MACHINE'),
  });
}

export function deleteWorkflow(calls: Calls = {}): Workflows {
  return new StepFunctionsWorkflows(connectStepFunctions(calls), {
    delete: requireEnv('DELETE_STATE_MACHINE'),
  });
}

export function destroyWorkflow(calls: Calls = {}): Workflows {
  return new StepFunctionsWorkflows(connectStepFunctions(calls), {
    destroy: requireEnv('DESTROY_STATE_MACHINE'),
  });
}

/** For what mends operations of any verb. */
export function everyWorkflow(): Workflows {
  return new StepFunctionsWorkflows(connectStepFunctions(), {
    init: requireEnv('INIT_STATE_MACHINE'),
    create: requireEnv('CREATE_STATE_MACHINE'),
    delete: requireEnv('DELETE_STATE_MACHINE'),
    destroy: requireEnv('DESTROY_STATE_MACHINE'),
  });
}
