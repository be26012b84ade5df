import { createHash } from 'node:crypto';
import { PetraError } from '../core/errors.ts';

/** What a page's cursor stands for: the position after which the next page begins, in this kind of listing. */
export function encodeCursor(listing: string, position: string): string {
  return Buffer.from(`${checksum(listing, position)}${position}`).toString('base64url');
}

/**
 * The position in a cursor that `encodeCursor` made for the same kind of listing.
 * The checksum keeps a cut or mistyped cursor from silently showing a wrong page; it is no secret.
 * @throws InvalidRequest
 */
export function decodeCursor(listing: string, cursor: string): string {
  const text = Buffer.from(cursor, 'base64url').toString();
  const position = text.slice(8);
  // Decoding skips what is not base64url, so the way back is compared too.
  if (encodeCursor(listing, position) !== cursor) {
    throw new PetraError(
      'InvalidRequest',
      `the cursor is not one of a list of ${listing}: ${shorten(cursor)}`,
      {
        fix: 'Pass the cursor of the page before as it is, or none for the first page.',
      },
    );
  }
  return position;
}

function checksum(listing: string, position: string): string {
  return createHash('sha256').update(`${listing}\n${position}`).digest('hex').slice(0, 8);
}

function shorten(cursor: string): string {
  return JSON.stringify(cursor.length > 60 ? `${cursor.slice(0, 60)}…` : cursor);
}
