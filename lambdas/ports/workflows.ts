import { connectStepFunctions } from '../../adapters/step-functions-client.ts';
import { StepFunctionsWorkflows } from '../../adapters/step-functions-workflows.ts';
import type { Workflows } from '../../core/ports.ts';
import { requireEnv } from '../env.ts';

// A function that begins a verb starts no other.

export function initWorkflow(): Workflows {
  return new StepFunctionsWorkflows(connectStepFunctions(), { init: requireEnv('INIT_STATE_MACHINE') });
}

export function createWorkflow(): Workflows {
  return new StepFunctionsWorkflows(connectStepFunctions(), { create: requireEnv('CREATE_STATE_MACHINE') });
}

export function deleteWorkflow(): Workflows {
  return new StepFunctionsWorkflows(connectStepFunctions(), { delete: requireEnv('DELETE_STATE_MACHINE') });
}

export function destroyWorkflow(): Workflows {
  return new StepFunctionsWorkflows(connectStepFunctions(), { destroy: requireEnv('DESTROY_STATE_MACHINE') });
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
