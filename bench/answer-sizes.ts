import { Asking } from './asking.ts';
import { asShipped } from './large-register.ts';

/**
 * Prints, as JSON, the bytes of a real answer about one person by registers of the sizes that are named, as a new gateway
 * is set up. A program of its own, so that the memory that large registers take is not that of who wants to know.
 */
const sizes: number[] = [];
for (const clients of process.argv.slice(2).map(Number)) {
  const asking = await Asking.make({ name: `${clients} clients`, kind: asShipped(clients), persons: 1 });
  sizes.push(asking.answerBytes);
  await asking.node.close();
}
console.log(JSON.stringify(sizes));
process.exit(0);
