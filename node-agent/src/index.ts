export { configSchema, readConfig } from './config.ts';
export type { Config } from './config.ts';
export { runProgram } from './cli/program.ts';
export type { ProgramContext } from './cli/program.ts';
export { startAgent } from './start-agent.ts';
export type { RunningAgent, StartOptions } from './start-agent.ts';
export { operationalLog } from './adapters/operational-log.ts';
