// Calls a route as a server does: by its name, with the problem in place of an error.

import { toProblem } from '../../../core/api/problem.ts';
import type { ApiRequest, ApiResponse } from '../../../core/api/request.ts';
import { routes } from '../../../core/api/routes.ts';
import type { Ports } from '../../../core/petra.ts';

export async function callRoute(
  ports: Ports,
  name: string,
  request: Partial<ApiRequest> = {},
): Promise<ApiResponse> {
  const route = routes.find((one) => one.name === name);
  if (!route) throw new Error(`there is no route ${name}`);
  try {
    return await route.answer(ports, {
      path: {},
      query: {},
      body: undefined,
      caller: 'local:tester',
      ...request,
    });
  } catch (error) {
    const problem = toProblem(error);
    return { status: problem.status, body: problem };
  }
}
