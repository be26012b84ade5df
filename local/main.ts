// The process behind `petra local up`. Writes its log to standard error, and nothing to standard output.

import { enableCompileCache, flushCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

// Half of a start is compiling the sources, which this saves the next one. Beside the packages, and not in the shared
// temporary folder that Node would choose: what is read from there is run.
enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/petra', import.meta.url)));
await import('./serve.ts');
flushCompileCache();
