import { expect, it } from 'vitest';
import { consoleLines } from '../../adapters/console-lines.ts';

it('lines of a console come without colours, bells and empty lines', () => {
  const text =
    '\u001b[0;32m[  OK  ]\u001b[0m Started\tk3s\u0007\r\n\r\n10 %\r20 %\n\u001b]0;title\u0007petra: says größe \n';
  expect(consoleLines(text)).toEqual(['[  OK  ] Started k3s', '10 %', '20 %', 'petra: says größe']);
});
