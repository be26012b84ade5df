// How the simulated services refuse: with the error AWS would give, translated as the real adapters do it.

import { translateAwsError } from '../../adapters/aws-errors.ts';
import type { Faults } from '../faults.ts';

const messages: Readonly<Record<string, string>> = {
  AccessDeniedException: 'User is not authorized to perform this action.',
  InsufficientInstanceCapacity:
    'We currently do not have sufficient capacity in the Availability Zone you requested. Our system will be working on provisioning additional capacity.',
  InternalError: 'An internal error has occurred.',
  InternalServiceError: 'An error occurred on the server side.',
  NetworkInterfaceLimitExceeded: 'You have reached the limit on the number of network interfaces.',
  RequestLimitExceeded: 'Request limit exceeded.',
  SlowDown: 'Please reduce your request rate.',
  ThrottlingException: 'Rate exceeded',
  UnauthorizedOperation: 'You are not authorized to perform this operation.',
  VcpuLimitExceeded:
    'You have requested more vCPU capacity than your current vCPU limit allows for the instance bucket that the specified instance type belongs to.',
};

/** What Petra throws when AWS refuses with an error of this name. */
export function awsRefusal(name: string, message: string, doing: string): unknown {
  return translateAwsError(Object.assign(new Error(message), { name }), doing);
}

/** Throws when a fault was asked for that fits this call; consumes it. */
export function refuseIfAsked(
  faults: Faults,
  service: 'ec2' | 'secretsmanager' | 's3' | 'ssm' | 'servicequotas' | 'iam',
  call: string,
  doing: string,
): void {
  const name = faults.take(service, call);
  if (name !== undefined) throw awsRefusal(name, messages[name] ?? 'Asked for with --fault.', doing);
}
