// `Accept: application/json;as=Table`: what `kubectl get` prints.

import type { KubernetesObject } from '../../core/ports.ts';
import { ageOf } from './api-age.ts';
import { type BuiltInColumn, builtInColumns } from './api-columns.ts';
import { isObject, type JsonObject } from './api-json.ts';
import { evaluateJsonPath } from './api-json-path.ts';
import type { ResourceType } from './api-resources.ts';

export interface TableOptions {
  readonly includeObject: string | undefined;
  readonly listMetadata: JsonObject;
  /** Left out in all but the first event of a watch. */
  readonly withColumns: boolean;
  readonly now: number;
}

/** The objects as a `Table`. */
export function tableOf(
  type: ResourceType,
  version: string,
  objects: readonly KubernetesObject[],
  options: TableOptions,
): JsonObject {
  const columns = columnsOf(type, version);
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: options.listMetadata,
    columnDefinitions: options.withColumns
      ? columns.map(({ cell: _cell, ...definition }) => ({
          format: '',
          description: '',
          priority: 0,
          ...definition,
        }))
      : null,
    rows: objects.map((object) => ({
      cells: columns.map(({ cell }) => cell(object, options.now)),
      ...rowObject(object, options.includeObject),
    })),
  };
}

function rowObject(object: KubernetesObject, include: string | undefined): JsonObject {
  if (include === 'None') return {};
  return { object: include === 'Object' ? object : partialMetadata(object) };
}

/** The object without anything but its metadata. */
export function partialMetadata(object: KubernetesObject): JsonObject {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata };
}

interface Column extends BuiltInColumn {
  readonly format?: string;
}

const nameColumn: Column = {
  name: 'Name',
  type: 'string',
  format: 'name',
  cell: ({ metadata }) => metadata.name,
};

function columnsOf(type: ResourceType, version: string): readonly Column[] {
  if (!type.custom) return [nameColumn, ...builtInColumns(type)];
  const columns = type.versions.find(({ name }) => name === version)?.printerColumns ?? [];
  return [
    nameColumn,
    ...columns.map(({ jsonPath, ...definition }) => ({
      ...definition,
      cell: (object: KubernetesObject, now: number) =>
        customCell(definition.type, evaluateJsonPath(jsonPath, object), now),
    })),
  ];
}

function customCell(type: string, [value]: readonly unknown[], now: number): unknown {
  if (value === undefined) return type === 'date' ? '<unknown>' : null;
  if (type === 'date') return ageOf(value, now);
  if (type === 'integer' || type === 'number') return typeof value === 'number' ? value : Number(value);
  if (type === 'boolean') return value === true;
  return Array.isArray(value) || isObject(value) ? JSON.stringify(value) : String(value);
}
