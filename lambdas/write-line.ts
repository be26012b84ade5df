/** Writes one line to the function's log. */
export type WriteLine = (line: string) => void;

/** As it is: `console` would add to it what Lambda thinks belongs there, and CloudWatch would find no metric in it. */
export const writeLine: WriteLine = (line) => {
  process.stdout.write(`${line}\n`);
};
