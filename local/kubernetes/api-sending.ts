// Replies on the wire.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { messageOf } from '../../core/errors.ts';
import type { Reply } from './api-exchange.ts';
import { ApiStatusError } from './api-status.ts';

/** A watcher that reads too slowly is cut off when this much waits for it; it can begin again. */
const bufferLimitBytes = 32 * 1024 * 1024;

export function send(request: IncomingMessage, response: ServerResponse, reply: Reply): void {
  switch (reply.type) {
    case 'json':
      sendJson(response, reply.code, reply.body, reply.mediaType);
      break;
    case 'text':
      response.writeHead(reply.code, { 'content-type': 'text/plain; charset=utf-8' }).end(reply.text);
      break;
    case 'stream': {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.flushHeaders();
      const stop = reply.start(
        (value) => {
          response.write(`${JSON.stringify(value)}\n`);
          if (response.writableLength > bufferLimitBytes) response.destroy();
        },
        () => response.end(),
      );
      response.once('close', stop);
      request.resume();
    }
  }
}

/** What went wrong as a `Status`. */
export function sendFailure(response: ServerResponse, error: unknown): void {
  const failure = error instanceof ApiStatusError ? error : internal(error);
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const seconds = failure.details?.retryAfterSeconds;
  if (seconds !== undefined) response.setHeader('retry-after', String(seconds));
  // The rest of a body that is too large is not read.
  if (failure.code === 413) response.setHeader('connection', 'close');
  sendJson(response, failure.code, failure.status());
}

function internal(error: unknown): ApiStatusError {
  const message = messageOf(error);
  return new ApiStatusError(500, 'InternalError', `Internal error occurred: ${message}`, {
    causes: [{ reason: '', message }],
  });
}

function sendJson(
  response: ServerResponse,
  code: number,
  body: unknown,
  mediaType = 'application/json',
): void {
  const text = JSON.stringify(body);
  response
    .writeHead(code, {
      'content-type': mediaType,
      'content-length': Buffer.byteLength(text),
      'cache-control': 'no-cache, private',
    })
    .end(text);
}
