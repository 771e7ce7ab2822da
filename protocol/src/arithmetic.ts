/**
 * What is computed with: by threads that do nothing else, each of which loads its modules anew. All of the protocol would
 * take such a thread 25 MB more.
 */
export { AEAD_TAG_BYTES, ELEMENT_BYTES } from './backend/backend.ts';
export { loadSodium } from './backend/sodium.ts';
export { HitError } from './errors.ts';
export { bucketTree } from './log/bucket-tree.ts';
export { createSuite } from './oprf/suite.ts';
export { TAG_BYTES, maskBucketHash, tagOf } from './pseudonym/pseudonym.ts';
export { buildTable } from './pseudonym/table.ts';
export { blindBatch, finishBatch } from './roles/importer.ts';
