// Packages of npm that are installed beside these files, or where NODE_PATH says.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

const { resolve } = createRequire(import.meta.url);

// import() knows nothing of NODE_PATH, require.resolve does.
export const load = (name) => import(pathToFileURL(resolve(name)));

export function version(name) {
  for (let folder = dirname(resolve(name)); ; folder = dirname(folder)) {
    try {
      const found = JSON.parse(readFileSync(join(folder, 'package.json')));
      if (found.name === name) return found.version;
    } catch (error) {
      if (folder === dirname(folder)) throw error;
    }
  }
}
