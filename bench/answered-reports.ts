/** Position of `answered` among the outcomes of a delivery report (protocol/SPEC.md, section 15.5). */
const ANSWERED = 0;

/**
 * How many registers answered, in the stream of delivery reports: each with its length in front (u32), and in it the name
 * of the node (u16 length, characters) and the outcome (u8). k6 runs this, and has none of our packages; so nothing else
 * of a report is looked at.
 */
export function answeredIn(stream: ArrayBuffer): number {
  const view = new DataView(stream);
  let answered = 0;
  for (let at = 0; at < view.byteLength; at += 4 + view.getUint32(at))
    if (view.getUint8(at + 6 + view.getUint16(at + 4)) === ANSWERED) answered++;
  return answered;
}
