// Writes docs/openapi.json from the table of routes, what is said of them, and the schemas of their answers.

import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Route, routes } from '../core/api/routes.ts';
import { type ErrorCode, errorCatalogue } from '../core/errors.ts';
import { errorsOfEveryRoute, type RouteDoc, routeDocs } from './openapi-routes.ts';
import { apiSchemas } from './openapi-schemas.ts';
import { ref } from './openapi-shape.ts';

const info = {
  title: 'Petra',
  version: 'v1alpha1',
  summary: 'Fleets of k3s clusters on AWS, through Cluster API.',
  description: [
    'Whatever changes something begins an operation and answers at once with 202; `GET /operations/{id}` says how it',
    'goes. Errors are problem details (RFC 9457); docs/errors.md explains their codes. Answers may get further fields;',
    'ignore what you do not know.',
  ].join('\n'),
  license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
};

/** The document. The same sources give the same document. */
export function renderOpenApi(): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    const operations = paths[route.path] ?? {};
    operations[route.method.toLowerCase()] = describeRoute(route);
    paths[route.path] = operations;
  }
  return {
    openapi: '3.1.1',
    info,
    servers: [
      {
        url: '/',
        description: 'A local Petra: `petra local status` says where it listens, on the loopback interface.',
      },
    ],
    security: [{ token: [] }],
    paths,
    components: {
      schemas: apiSchemas(),
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          description:
            'For a local Petra: the content of the file `token` in its state folder, readable by its owner only.',
        },
      },
    },
  };
}

function describeRoute({ name, path: pattern }: Route): object {
  const doc = routeDocs[name];
  if (!doc) throw new Error(`scripts/openapi-routes.ts says nothing of ${name}`);
  const { summary, description, body, answers } = doc;
  const parameters = [...pathParameters(pattern), ...queryParameters(doc)];
  return {
    operationId: name,
    summary,
    ...(description === undefined ? {} : { description }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: { required: true, content: json(body) } }),
    responses: {
      ...Object.fromEntries(
        Object.entries(answers).map(([status, schema]) => [
          status,
          { description: meaningOf(status, answers), content: json(schema) },
        ]),
      ),
      ...problems([...errorsOfEveryRoute, ...doc.errors]),
    },
  };
}

function meaningOf(status: string, answers: RouteDoc['answers']): string {
  if (status === '202') return 'An operation runs.';
  return 202 in answers ? 'Nothing runs: all is already as asked.' : 'Done.';
}

function json(schema: string): object {
  return { 'application/json': { schema: ref(schema) } };
}

function pathParameters(pattern: string): object[] {
  return [...pattern.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    description: name === 'id' ? 'Id of the operation.' : 'Name of the cluster.',
    schema: { type: 'string' },
  }));
}

function queryParameters({ query = {} }: RouteDoc): object[] {
  return Object.entries(query).map(([name, { description, schema }]) => ({
    name,
    in: 'query',
    description,
    schema,
  }));
}

/** One answer for each status, which names the codes it can come with. */
function problems(codes: readonly ErrorCode[]): Record<string, object> {
  const byStatus = Map.groupBy(new Set(codes), (code) => errorCatalogue[code].status);
  return Object.fromEntries(
    [...byStatus].map(([status, group]) => {
      const sorted = group.toSorted();
      const schema = { ...ref('Problem'), properties: { code: { enum: sorted } } };
      return [
        status,
        {
          description: sorted.map((code) => `- \`${code}\`: ${errorCatalogue[code].cause}`).join('\n'),
          content: { 'application/problem+json': { schema } },
        },
      ];
    }),
  );
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const root = path.join(import.meta.dirname, '..');
  writeFileSync(path.join(root, 'docs', 'openapi.json'), JSON.stringify(renderOpenApi()));
  const biome = path.join(root, 'node_modules', '.bin', 'biome');
  spawnSync(biome, ['format', '--write', 'docs/openapi.json'], { cwd: root, stdio: 'inherit' });
}
