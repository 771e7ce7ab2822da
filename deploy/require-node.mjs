// Says in plain words what is missing on a platform for which no Node.js 24 comes along as a dependency.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 24 || (major === 24 && minor < 7)) {
  console.error(
    `Hitmachine runs on Node.js 24.7 or newer; this is ${process.version}.\n` +
      'On Linux (x64, arm64) it comes along with "npm ci". Elsewhere: install Node.js 24 from nodejs.org.\n' +
      'If you are on Linux, run "npm ci" without --omit=optional.',
  );
  process.exit(1);
}
