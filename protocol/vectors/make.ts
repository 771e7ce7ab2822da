import { writeFile } from 'node:fs/promises';
import { noble } from '../src/index.ts';
import { SUBJECTS, renderVectorFile, vectorFile } from './files.ts';

for (const [name, subject] of Object.entries(SUBJECTS)) {
  const file = await vectorFile(subject, noble);
  await writeFile(new URL(`${name}.json`, import.meta.url), renderVectorFile(file));
  console.log(`${name}.json: ${file.vectors.length} vectors, ${file.negative.length} negative ones`);
}
