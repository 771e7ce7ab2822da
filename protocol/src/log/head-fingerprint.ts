import { bytesToHex } from '../bytes.ts';
import type { TreeHead } from './merkle.ts';

/** A head in words for the telephone: 128 bits of the root in groups of four. Both sides must name the same size. */
export function headFingerprint({ root }: TreeHead): string {
  return (bytesToHex(root).slice(0, 32).match(/.{4}/g) ?? []).join('-');
}
